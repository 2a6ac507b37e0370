import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { Coordinator } from '../../coordinator/coordinator.js';
import { defaultHttpPort } from '../../observe/page/server/decide.js';
import { ClusterError } from '../../proto/errors.js';
import { LocalTransports } from '../../transport/local/coordinator-end.js';
import { findDatasetFor } from '../dataset.js';
import { describeScale } from '../describe-scale.js';
import { LocalWorkers } from '../local-workers.js';
import { type LogLevel, logLevels } from '../log.js';
import { addNatsOptions, type NatsFlags, resolveNats } from '../nats-options.js';
import { positive, seconds, stepCount } from '../numbers.js';
import { addSpecOptions, presetHelp } from '../options.js';
import { noCacheOption } from '../program-cache.js';
import { type ChosenRun, chooseRun, type RunChoice } from '../run-choice.js';
import { runCoordinator } from '../run-coordinator.js';
import { addTlsOptions, localWorkerTls, readTls, type TlsFlags } from '../tls-options.js';
import { readToken } from '../token.js';
import { refuseUnused } from '../unused-flags.js';
import { planLocalWorkers } from '../workers-auto.js';

/** What `addRunOptions` adds, as parsed. */
export interface RunOptions extends RunChoice, NatsFlags, TlsFlags {
  data?: string;
  listen: string;
  tokenFile?: string;
  insecure?: boolean;
  wait: number;
  heartbeatLimit: number;
  /** True: the whole run. */
  trace?: true | number;
  http?: string | false;
  health?: string;
  logLevel: LogLevel;
  tensorboard?: boolean;
}

interface TrainOptions extends RunOptions {
  workers: string;
  cores: number;
  cache: boolean;
  sharedMemory: boolean;
  stopAtStdinEnd?: boolean;
}

/** `lockstep train`: coordinator and workers on this machine. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a job on this machine: a coordinator and local worker processes')
    .argument('[job.yaml]', 'job spec, YAML or JSON, or - for standard input; without it, --preset or cluster-cnn3');
  addSpecOptions(command);
  addRunOptions(command, localDefaults);
  addJobFileOptions(command);
  addLocalOptions(command);
  return command
    .addHelpText('after', presetHelp() + trainExamples)
    .action(async (file: string | undefined, options: TrainOptions, self: Command) => {
      checkRunFlags(self, options);
      process.exitCode = await train(await chooseRun(file, options), options, false);
    });
}

/** `lockstep start`, behind `npm start`: the first run, which also works where CIFAR-10 is nowhere to be had. */
export function startCommand(): Command {
  const command = new Command('start').description(
    'the first run: cluster-cnn3, 7 epochs, on local workers; on a synthetic stand-in if CIFAR-10 cannot be had',
  );
  addSpecOptions(command, 'cluster-cnn3');
  addRunOptions(command, localDefaults);
  addLocalOptions(command);
  return command.action(async (options: TrainOptions, self: Command) => {
    checkRunFlags(self, options);
    process.exitCode = await train(await chooseRun(undefined, options), options, true);
  });
}

/** How many workers are started on this machine, and what they may use of it. */
function addLocalOptions(command: Command): void {
  const workers = new Option(
    '--workers <n>',
    'local workers; auto: one per GPU where the engine uses GPUs, else per physical core; never more than shards',
  ).default('auto');
  const cores = new Option(
    '--cores <n>',
    'cores that the local workers share: idle ones help with the last shards of a step; the bits stay the same',
  );
  command.addOption(workers).addOption(cores.argParser(positive).default(availableParallelism(), 'all'));
  command.addOption(noCacheOption());
  command.addOption(new Option('--stop-at-stdin-end', 'stop with the program that started it').hideHelp());
  command.option(
    '--no-shared-memory',
    'have local workers take steps by gRPC, as workers elsewhere do; the bits stay the same',
  );
}

/** Options that `train`, `start` and `coordinator` share, with the defaults in which they differ. */
export function addRunOptions(
  command: Command,
  defaults: {
    readonly listen: string;
    readonly waitSeconds: number;
    readonly logLevel: LogLevel;
    readonly http: string;
  },
): Command {
  const wait = new Option('--wait <seconds>', 'how long to wait for the first workers').argParser(seconds);
  const limit = new Option(
    '--heartbeat-limit <seconds>',
    'a worker from which no byte came for longer is lost; raise it where the network stalls for longer',
  ).argParser(seconds);
  const trace = new Option('--trace [steps]', 'write a time line of the run, or of its first steps: trace.json');
  const level = new Option('--log-level <level>', 'what is logged to standard error; log.jsonl has all of it');
  return addTlsOptions(addNatsOptions(command))
    .option(
      '--data <path>',
      'CIFAR-10: directory or .tar.gz (else LOCKSTEP_DATA, ./data, cache, download); ' +
        'with data.dataset=folder: directory of class folders (else data.path)',
    )
    .option('--run <dir>', 'run directory (default: a new one in --runs); an existing run there is resumed')
    .option('--runs <dir>', 'where new run directories are made', 'runs')
    .option('--listen <host:port>', 'where workers join; port 0 takes a free one', defaults.listen)
    .option('--token-file <file>', 'shared secret of the cluster; required beyond loopback, as TLS is')
    .option('--insecure', 'allow listening, and using NATS, beyond loopback without TLS or token')
    .option('--tensorboard', "write event files for TensorBoard into the run directory's tensorboard/")
    .option('--http <[host:]port>', `serve the live page there (default: ${defaults.http})`)
    .option('--no-http', 'serve no live page')
    .option('--health <[host:]port>', 'serve health probes on this address: plain HTTP, only GET /healthz')
    .addOption(wait.default(defaults.waitSeconds * 1000, String(defaults.waitSeconds)))
    .addOption(limit.default(2_000, '2'))
    .addOption(trace.argParser(stepCount))
    .addOption(level.choices(logLevels).default(defaults.logLevel));
}

/** @throws JobError BAD_OPTION for `--runs` next to a flag that names the run directory itself. */
export function checkRunFlags(command: Command, { run, resume }: RunOptions): void {
  const named = resume !== undefined ? '--resume' : run !== undefined ? '--run' : undefined;
  if (named !== undefined) refuseUnused(command, ['--runs'], `no ${named} next to it, which names the directory`);
}

/** `--resume` and `--allow-module`, for commands that read a job from a file. */
export function addJobFileOptions(command: Command): Command {
  return command
    .option('--resume <run>', 'resume the run in this directory from its newest checkpoint')
    .option(
      '--allow-module',
      'run the module that the job file names as its model; a module can do everything you can',
    );
}

/** A free port, as local workers are told which; a log that does not stand between the progress lines. */
const localDefaults = {
  listen: '127.0.0.1:0',
  waitSeconds: 120,
  logLevel: 'silent',
  http: `127.0.0.1:${defaultHttpPort}, or a free port`,
} as const;

async function train(chosen: ChosenRun, options: TrainOptions, allowSynthetic: boolean): Promise<number> {
  const { spec, runDirectory } = chosen;
  const token = readToken(options.tokenFile);
  const tls = readTls(options, 'both');
  const nats = resolveNats(options, spec.name, token);
  const dataset = await findDatasetFor(spec, { data: options.data, allowSynthetic });
  const { count: workers, gpus, note } = await planLocalWorkers(options.workers, spec);
  return runCoordinator({
    spec,
    dataset,
    runDirectory,
    nats,
    listen: options.listen,
    token,
    tls,
    insecure: options.insecure,
    stopAtStdinEnd: options.stopAtStdinEnd ?? false,
    wantedWorkers: workers,
    startLimitMs: options.wait,
    heartbeatLimitMs: options.heartbeatLimit,
    http: options.http,
    health: options.health,
    httpByDefault: true,
    logLevel: options.logLevel,
    tensorboard: options.tensorboard ?? false,
    trace: options.trace,
    onListening: (address, coordinator, print) => {
      if (note !== undefined) print(note);
      const local = new LocalWorkers({
        count: workers,
        cores: options.cores,
        gpus,
        cache: options.cache,
        coordinator: loopbackAddress(address),
        access: [...tokenFlag(options), ...localWorkerTls(options, tls)],
        localTransports: options.sharedMemory ? coordinator.localTransports : new LocalTransports(false),
        logFile: join(runDirectory, 'log.jsonl'),
        onRestart: print,
        onExit: (message, left, error) => workerEnded(coordinator, { message, left, error }, print),
      });
      coordinator.events.subscribe((event) => local.handle(event));
      coordinator.scaleBy((wanted) => scale(local, wanted, spec.shards));
      print(`look on from elsewhere: lockstep watch --coordinator ${loopbackAddress(address)}`);
      return local;
    },
  });
}

/** Other workers go on for one that ended; without any the run fails, as nobody else is expected here. */
function workerEnded(
  coordinator: Coordinator,
  {
    message,
    left,
    error,
  }: { readonly message: string; readonly left: number; readonly error: ClusterError | undefined },
  print: (line: string) => void,
): void {
  print(message);
  if (left > 0) return;
  const none = `train: expected at least one local worker, got none: ${message}`;
  coordinator.fail(error ?? new ClusterError('NO_WORKERS', none));
}

/** What `lockstep scale` asks for. @returns what is done, in words. @throws ClusterError REFUSED */
async function scale(local: LocalWorkers, wanted: number, shards: number): Promise<string> {
  const before = local.count;
  local.scale(wanted);
  return Promise.resolve(describeScale(before, local.count, shards));
}

function tokenFlag({ tokenFile }: RunOptions): string[] {
  return tokenFile === undefined ? [] : ['--token-file', tokenFile];
}

/** Where processes of this machine reach a server that may listen on all interfaces. */
function loopbackAddress(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}

const trainExamples = `
Examples:
  lockstep train --preset lecture-cnn3
  lockstep train --preset cluster-cnn4 --epochs 100 --workers 4
  lockstep train job.yaml --set optimizer.momentum=0.95 --set data.augment.flip=true
  lockstep train --resume runs/cluster-cnn3-20260131-142501-073 --workers 2

Ctrl-C stops the run after the current step and saves it; --resume resumes it.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped.
`;
