import { availableParallelism } from 'node:os';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { compareRuns, readRecordedRun, type RecordedRun } from '../../run/history/compare-digests.js';
import { Coordinator } from '../../coordinator/coordinator.js';
import { checkArithmetic } from '../../run/previous-run.js';
import { parseEpochs, prepareReplay } from '../../run/replay.js';
import type { InstructionSet } from '../../engine/engine.js';
import { JobError } from '../../job/errors.js';
import { ClusterError } from '../../proto/errors.js';
import { datasetFor } from '../dataset.js';
import { LocalWorkers, type LocalWorkersOptions } from '../workers/local-workers.js';
import { checkIsa, isaOption } from '../options/isa-option.js';
import { refuseUnused } from '../options/unused-flags.js';
import { type LocalPlan, planLocalWorkers } from '../workers/plan-local-workers.js';

interface VerifyOptions {
  replay?: boolean;
  epochs?: string;
  data?: string;
  workers: string;
  isa?: InstructionSet;
}

/** `lockstep verify`: compares the digests of two runs, or of a run and its replay. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('compare the digests of two runs, or train a run again and compare')
    .argument('<run>', 'run directory')
    .argument('[other]', 'another run directory')
    .option('--replay', 'train again from the preceding checkpoint on this machine, and compare')
    .option('--epochs <a..b>', 'with --replay: epochs to train (default: all of the run)')
    .option('--data <path>', 'with --replay: CIFAR-10, as for train')
    .addOption(new Option('--workers <n>', 'with --replay: local workers, or auto').default('auto'))
    .addOption(isaOption())
    .addHelpText('after', examples)
    .action(async (run: string, other: string | undefined, options: VerifyOptions, command: Command) => {
      if ((other === undefined) !== (options.replay === true)) {
        throw new JobError(
          'BAD_OPTION',
          `verify: expected either a second run or --replay, got ${other === undefined ? 'neither' : 'both'}; see lockstep verify --help`,
        );
      }
      if (other !== undefined) refuseUnused(command, ['--epochs', '--data', '--workers', '--isa'], '--replay with it');
      const recorded = await readRecordedRun(run);
      if (other === undefined) await checkIsa(command, recorded.manifest.spec.engine);
      const equal = other === undefined ? await replay(recorded, options) : await compare(recorded, other);
      process.exitCode = equal ? 0 : 1;
    });
}

async function compare(run: RecordedRun, other: string): Promise<boolean> {
  const { equal, text } = compareRuns(run, await readRecordedRun(other));
  console.log(text);
  return equal;
}

/** Trains the given epochs again in a temporary directory, up to the first that differs. */
async function replay(run: RecordedRun, options: VerifyOptions): Promise<boolean> {
  const { spec } = run.manifest;
  checkArithmetic(run.path, run.manifest, spec.engine);
  const range = parseEpochs(options.epochs, run.digests.length);
  const local = await planLocalWorkers(options.workers, spec);
  if (local.note !== undefined) console.log(local.note);
  const runDirectory = await prepareReplay(run, range);
  const coordinator = new Coordinator({
    spec: { ...spec, evaluation: { ...spec.evaluation, everyEpochs: 0 } },
    dataset: () => datasetFor(spec, { data: options.data, allowSynthetic: false }),
    runDirectory,
    listen: '127.0.0.1:0',
    wantedWorkers: local.count,
    startLimitMs: 120_000,
    heartbeatLimitMs: 2_000,
  });
  let verdict: boolean | undefined;
  coordinator.events.subscribe((event) => {
    if (event.type === 'note') console.log(event.message);
    if (event.type !== 'epoch') return;
    const { epoch, digest } = event;
    const recorded = run.digests.find((entry) => entry.epoch === epoch)?.digest;
    const equal = recorded === digest;
    console.log(`epoch ${epoch}: ${equal ? `equal, ${digest}` : `different, ${recorded} in the run, ${digest} now`}`);
    if (equal && epoch < range.last) return;
    verdict ??= equal;
    coordinator.stop('verified');
  });
  try {
    await train(coordinator, { ...local, isa: options.isa }, runDirectory);
  } finally {
    await rm(runDirectory, { recursive: true, force: true });
  }
  if (verdict === undefined) throw new ClusterError('STOPPED', 'verify: stopped before the last epoch was compared');
  return verdict;
}

type Workers = LocalPlan & Pick<LocalWorkersOptions, 'isa'>;

async function train(coordinator: Coordinator, { count, gpus, isa }: Workers, runDirectory: string): Promise<void> {
  const address = await coordinator.start();
  const workers = new LocalWorkers({
    count,
    cores: availableParallelism(),
    gpus,
    cache: true,
    isa,
    coordinator: address,
    localTransports: coordinator.localTransports,
    logFile: join(runDirectory, 'log.jsonl'),
    onRestart: (message) => console.log(message),
    onExit: (message, left, error) => {
      console.log(message);
      const none = `verify: expected at least one local worker, got none: ${message}`;
      if (left === 0) coordinator.fail(error ?? new ClusterError('NO_WORKERS', none));
    },
  });
  coordinator.events.subscribe((event) => workers.handle(event));
  const stop = () => coordinator.stop('SIGINT');
  process.once('SIGINT', stop);
  try {
    await coordinator.run();
    await workers.finish();
  } finally {
    process.off('SIGINT', stop);
    await workers.stop();
  }
}

const examples = `
Examples:
  lockstep verify runs/a runs/b                    prints the first epoch that differs
  lockstep verify runs/a --replay --epochs 9..10   trains these again from the preceding checkpoint

Exit codes: 0 equal, 1 different or failure, 2 wrong usage.
`;
