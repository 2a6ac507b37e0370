import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, quantile } from '../bench/stats.mjs';
import { scratchDirectory } from '../e2e/lockstep.js';
import { type ChaosOptions, runQuietly, type StruckFault, unleash } from './chaos-run.js';
import { readRun, type RunRecord } from './run-record.js';

const usage = `Usage: npm run chaos -- [--minutes M] [--seed S] [--workers N] [--faults N] [--keep]

Strikes a local cluster with random faults, then runs the same job in peace and compares the digest of every epoch
and the samples of every step. Ends after M minutes (default 5) or N faults, whichever is first; exit code 0 if nothing
differs. The same seed gives the same sequence of faults. --keep leaves the run directories.`;

/** Small enough for several steps a second, and far longer than the run. */
const job = [
  ...['--preset', 'cluster-cnn3', '--batch-per-shard', '10', '--epochs', '20000', '--optimizer', 'adam'],
  ...['--learning-rate', '0.0005', '--set', 'schedule.type=constant', '--set', 'schedule.warmupSteps=0'],
  ...['--set', 'data.dataset=synthetic', '--set', 'data.limit=205', '--set', 'data.augment.flip=true'],
  ...['--set', 'data.augment.crop=2', '--set', 'evaluation.everyEpochs=20', '--set', 'checkpoint.everySteps=10'],
];
const heartbeatLimitMs = 2_000;

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      workers: { type: 'string', default: '4' },
      faults: { type: 'string', default: 'Infinity' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return true;
  }
  const scratch = scratchDirectory();
  const [minutes, seed, workers, faults] = [values.minutes, values.seed, values.workers, values.faults].map(Number);
  const options: ChaosOptions = {
    minutes: minutes!,
    seed: seed!,
    workers: workers!,
    faults: faults!,
    heartbeatLimitMs,
    scratch: scratch.path,
    job,
    say: (line) => console.log(line),
  };
  try {
    return await chaos(options);
  } finally {
    if (values.keep) console.log(`run directories: ${scratch.path}`);
    else scratch.remove();
  }
}

async function chaos(options: ChaosOptions): Promise<boolean> {
  const { say, faults, seed, workers } = options;
  say(`chaos: seed ${seed}, ${workers} workers; ${machine()}`);
  const directory = join(options.scratch, 'chaos');
  const struck = await unleash(options, directory);
  const run = readRun(directory);
  const quiet = await runQuietly(options, run.digests.length);
  say(`\n${table(struck)}\n`);
  const problems = compare(run, quiet);
  if (Number.isFinite(faults) && struck.length < faults) problems.push(`${struck.length} of ${faults} faults struck`);
  for (const problem of problems) say(problem);
  const counted = `${run.steps.length} steps, ${run.digests.length} epochs, ${run.samples} samples`;
  say(
    `${problems.length === 0 ? 'PASS' : 'FAIL'}: seed ${seed}, ${struck.length} faults, ${counted}, digest ${run.digests.at(-1)?.digest}`,
  );
  return problems.length === 0;
}

/** Differences between a run and the beginning of the undisturbed one; empty if there are none. */
function compare(run: RunRecord, quiet: RunRecord): string[] {
  const epoch = run.digests.findIndex(({ digest }, i) => digest !== quiet.digests[i]?.digest);
  const step = run.steps.findIndex((line, i) => line !== quiet.steps[i]);
  const problems: string[] = [];
  if (run.digests.length === 0) problems.push('digests: expected at least one epoch, got none; give it more minutes');
  if (epoch >= 0) problems.push(`digests: expected those of the quiet run, got another one after epoch ${epoch + 1}`);
  if (step >= 0 && step < quiet.steps.length) {
    problems.push(`steps: expected "${quiet.steps[step]}" as in the quiet run, got "${run.steps[step]}"`);
  }
  return problems;
}

/** Faults by kind, with the time from the fault to the next committed step, as Markdown. */
export function table(struck: readonly StruckFault[]): string {
  const labels = [...new Set(struck.map(({ label }) => label))].sort();
  const rows = labels.map((label) => {
    const times = struck.filter((fault) => fault.label === label).map(({ recoveredMs }) => recoveredMs);
    const f = (q: number) => (quantile(times, q) / 1000).toFixed(2);
    return `| ${label} | ${times.length} | ${f(0.5)} | ${f(1)} |`;
  });
  return ['| Fault | Count | Next step after, median (s) | worst (s) |', '| --- | --: | --: | --: |', ...rows].join(
    '\n',
  );
}

process.exitCode = (await main()) ? 0 : 1;
