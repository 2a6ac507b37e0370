import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { Coordinator } from '../../coordinator/coordinator.js';
import type { InstructionSet } from '../../engine/engine.js';
import { defaultHttpPort } from '../../observe/page/server/decide.js';
import { ClusterError } from '../../proto/errors.js';
import { LocalTransports } from '../../transport/local/coordinator-end.js';
import { commandName } from '../command-name.js';
import { findDatasetFor } from '../dataset.js';
import { describeScale } from '../workers/describe-scale.js';
import { LocalWorkers } from '../workers/local-workers.js';
import { type LogLevel, logLevels } from '../log.js';
import { checkIsa, isaOption } from '../options/isa-option.js';
import { addNatsOptions, type NatsFlags, resolveNats } from '../options/nats-options.js';
import { positive, seconds, stepCount } from '../options/numbers.js';
import { addSpecOptions, presetHelp } from '../options/options.js';
import { noCacheOption } from '../program-cache.js';
import { type ChosenRun, chooseRun, type RunChoice } from '../runs/run-choice.js';
import { runCoordinator } from '../run-coordinator.js';
import { addTlsOptions, localWorkerTls, readTls, type TlsFlags } from '../options/tls-options.js';
import { readToken } from '../options/token.js';
import { refuseUnused } from '../options/unused-flags.js';
import { planLocalWorkers } from '../workers/plan-local-workers.js';

/** Parsed options of `addRunOptions`. */
export interface RunOptions extends RunChoice, NatsFlags, TlsFlags {
  data?: string;
  listen: string;
  tokenFile?: string;
  insecure?: boolean;
  wait: number;
  heartbeatLimit: number;
  /** Number of steps, or true for the whole run. */
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
  isa?: InstructionSet;
  sharedMemory: boolean;
  stopAtStdinEnd?: boolean;
}

/** `lockstep train`: trains with a coordinator and workers on this machine. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a job on this machine: a coordinator and local worker processes')
    .argument('[job.yaml]', 'job spec, YAML or JSON, - for standard input (default: --preset, or cluster-cnn3)');
  addSpecOptions(command);
  addRunOptions(command, localDefaults);
  addJobFileOptions(command);
  addLocalOptions(command);
  return command
    .addHelpText('after', presetHelp() + trainExamples)
    .action(async (file: string | undefined, options: TrainOptions, self: Command) => {
      checkRunFlags(self, options);
      const chosen = await chooseRun(file, options);
      await checkIsa(self, chosen.spec.engine);
      process.exitCode = await train(chosen, options, false);
    });
}

/** `lockstep start`, used by `npm start`: the first run. It falls back to the synthetic dataset. */
export function startCommand(): Command {
  const command = new Command('start').description(
    "first run: cluster-cnn3, 7 epochs, local workers; uses a synthetic dataset if CIFAR-10 can't be found or downloaded",
  );
  addSpecOptions(command, 'cluster-cnn3');
  addRunOptions(command, localDefaults);
  addLocalOptions(command);
  return command.action(async (options: TrainOptions, self: Command) => {
    checkRunFlags(self, options);
    const chosen = await chooseRun(undefined, options);
    await checkIsa(self, chosen.spec.engine);
    process.exitCode = await train(chosen, options, true);
  });
}

/** Adds options for local workers and their resources. */
function addLocalOptions(command: Command): void {
  const workers = new Option(
    '--workers <n>',
    'local workers; auto: one per GPU if the engine uses GPUs, else one per physical core, at most one per shard',
  ).default('auto');
  const cores = new Option(
    '--cores <n>',
    'cores shared by the local workers; idle cores help with the last shards of a step, with the same result',
  );
  command.addOption(workers).addOption(cores.argParser(positive).default(availableParallelism(), 'all'));
  command.addOption(isaOption()).addOption(noCacheOption());
  command.addOption(new Option('--stop-at-stdin-end', 'stop when standard input closes').hideHelp());
  command.option('--no-shared-memory', 'use gRPC for local workers, as for remote ones; the result does not change');
}

/** Adds the options shared by `train`, `start` and `coordinator`. */
export function addRunOptions(
  command: Command,
  defaults: {
    readonly listen: string;
    readonly waitSeconds: number;
    readonly logLevel: LogLevel;
    readonly http: string;
  },
): Command {
  const wait = new Option('--wait <seconds>', 'time limit for the first workers to join').argParser(seconds);
  const limit = new Option(
    '--heartbeat-limit <seconds>',
    'time after which a silent worker counts as lost; increase it for networks with longer stalls',
  ).argParser(seconds);
  const trace = new Option('--trace [steps]', 'write a timeline of the run, or of its first steps, to trace.json');
  const level = new Option('--log-level <level>', 'lowest level on standard error; log.jsonl has all levels');
  return addTlsOptions(addNatsOptions(command))
    .option(
      '--data <path>',
      'CIFAR-10: directory or .tar.gz (default: LOCKSTEP_DATA, ./data, cache, download); ' +
        'with data.dataset=folder: directory of class folders (default: data.path)',
    )
    .option('--run <dir>', 'run directory (default: a new one in --runs); an existing run there is resumed')
    .option('--runs <dir>', 'directory for new run directories', 'runs')
    .option('--listen <host:port>', 'address for workers; port 0 selects a free port', defaults.listen)
    .option('--token-file <file>', 'file with the shared secret of the cluster; required beyond loopback, like TLS')
    .option('--insecure', 'allow listening and NATS beyond loopback without TLS or token')
    .option('--tensorboard', "write event files for TensorBoard to the run directory's tensorboard/")
    .option('--http <[host:]port>', `address of the live page (default: ${defaults.http})`)
    .option('--no-http', 'do not serve the live page')
    .option('--health <[host:]port>', 'address for health probes: plain HTTP, GET /healthz only')
    .addOption(wait.default(defaults.waitSeconds * 1000, String(defaults.waitSeconds)))
    .addOption(limit.default(2_000, '2'))
    .addOption(trace.argParser(stepCount))
    .addOption(level.choices(logLevels).default(defaults.logLevel));
}

/** Rejects `--runs` together with a flag that names the run directory. @throws JobError BAD_OPTION */
export function checkRunFlags(command: Command, { run, resume }: RunOptions): void {
  const named = resume !== undefined ? '--resume' : run !== undefined ? '--run' : undefined;
  if (named !== undefined) refuseUnused(command, ['--runs'], `no ${named} with it, which names the run directory`);
}

/** Adds `--resume` and `--allow-module`, for commands that read a job from a file. */
export function addJobFileOptions(command: Command): Command {
  return command
    .option('--resume <run>', 'resume the run in this directory from its newest checkpoint')
    .option(
      '--allow-module',
      'run the module that the job file names as its model; a module can do everything you can',
    );
}

/** Any free port, because local workers get the address; a silent log, to keep progress lines together. */
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
        isa: options.isa,
        coordinator: loopbackAddress(address),
        access: [...tokenFlag(options), ...localWorkerTls(options, tls)],
        localTransports: options.sharedMemory ? coordinator.localTransports : new LocalTransports(false),
        logFile: join(runDirectory, 'log.jsonl'),
        onRestart: print,
        onExit: (message, left, error) => workerEnded(coordinator, { message, left, error }, print),
      });
      coordinator.events.subscribe((event) => local.handle(event));
      coordinator.scaleBy((wanted) => scale(local, wanted, spec.shards));
      print(`Watch from another terminal: ${commandName()} watch --coordinator ${loopbackAddress(address)}`);
      return local;
    },
  });
}

/** Fails the run when the last local worker has exited: no others are expected. */
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

/** Handles `lockstep scale`. @returns a description of the change. @throws ClusterError REFUSED */
async function scale(local: LocalWorkers, wanted: number, shards: number): Promise<string> {
  const before = local.count;
  local.scale(wanted);
  return Promise.resolve(describeScale(before, local.count, shards));
}

function tokenFlag({ tokenFile }: RunOptions): string[] {
  return tokenFile === undefined ? [] : ['--token-file', tokenFile];
}

/** Loopback address of a server that may listen on all interfaces. */
function loopbackAddress(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}

const trainExamples = `
Examples:
  lockstep train --preset lecture-cnn3
  lockstep train --preset cluster-cnn4 --epochs 100 --workers 4
  lockstep train job.yaml --set optimizer.momentum=0.95 --set data.augment.flip=true
  lockstep train --resume runs/cluster-cnn3-20260131-142501-073 --workers 2

Ctrl-C stops the run after its current step and saves it; --resume resumes it.
Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped.
`;
