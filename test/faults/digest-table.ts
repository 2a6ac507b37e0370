import { join } from 'node:path';
import { lockstep, scratchDirectory } from '../e2e/lockstep.js';
import { machine } from '../bench/stats.mjs';
import { FaultCluster, type FaultClusterOptions } from './fault-cluster.js';
import { mix, mixedLimits, replaceAll } from './mixed-kinds.js';
import type { FaultPlan } from './plan.js';
import { readRun } from './run-record.js';
import { until } from '../until.js';

/**
 * The table of final digests, as Markdown: node --import ./test/faults/typescript.mjs test/faults/digest-table.ts
 *
 * Each column is one job, each row a way to run it; a column holds one digest. Takes some minutes.
 */
const common = [
  ...[
    '--epochs',
    '3',
    '--set',
    'data.dataset=synthetic',
    '--set',
    'data.limit=490',
    '--set',
    'evaluation.everyEpochs=0',
  ],
  ...['--set', 'data.augment.flip=true', '--set', 'data.augment.crop=4', '--set', 'checkpoint.everySteps=5'],
];
const sgd = ['--optimizer', 'sgd'];
const adam = ['--optimizer', 'adam', '--learning-rate', '0.001'];
const jobs: readonly { readonly title: string; readonly flags: readonly string[] }[] = [
  { title: 'cluster-cnn3, SGD', flags: ['--preset', 'cluster-cnn3', ...sgd, ...common] },
  { title: 'cluster-cnn3, Adam', flags: ['--preset', 'cluster-cnn3', ...adam, ...common] },
  { title: 'cluster-cnn4, SGD', flags: ['--preset', 'cluster-cnn4', ...sgd, ...common] },
  { title: 'cluster-cnn4, Adam', flags: ['--preset', 'cluster-cnn4', ...adam, ...common] },
];
const heartbeatLimitMs = 2_000;
const limitMs = 400_000;
const faultStep = 13;

type Run = (job: readonly string[], directory: string) => Promise<void>;

const rows: readonly { readonly title: string; readonly run: Run }[] = [
  ...[1, 2, 3, 4, 5].map((n) => ({ title: n === 1 ? '1 worker' : `${n} workers`, run: train(n) })),
  { title: '3 workers, one killed', run: suffer(3, [{ at: { worker: 1, step: faultStep }, fault: { kind: 'kill' } }]) },
  {
    title: '3 workers, coordinator killed',
    run: suffer(3, [{ at: { step: faultStep }, fault: { kind: 'killCoordinator' } }]),
  },
  { title: '2 workers, then resumed with 4', run: resumeWith(2, 4) },
  ...mix
    .filter(({ node }) => node.length === 1)
    .map(({ title, isa }) => ({ title: `2 workers, ${title}`, run: train(2, '--isa', isa) })),
  {
    title: `1 worker each: ${mix.map(({ title }) => title).join(', ')}; each killed and replaced by another`,
    run: suffer(mix.length, replaceAll, { kinds: mix, heartbeatLimitMs: mixedLimits.heartbeatLimitMs }),
  },
];

function train(workers: number, ...flags: string[]): Run {
  return async (job, directory) => {
    const args = ['train', ...job, '--workers', String(workers), ...flags, '--run', directory];
    const { code, stderr } = await lockstep(args);
    if (code !== 0) throw new Error(`train: expected exit code 0, got ${code}: ${stderr}`);
  };
}

function suffer(workers: number, plan: FaultPlan, more: Partial<FaultClusterOptions> = {}): Run {
  return async (job, directory) => {
    const cluster = new FaultCluster({ job, directory, workers, heartbeatLimitMs, plan, ...more });
    try {
      await cluster.start();
      await cluster.finish(limitMs);
      const [missing] = cluster.notFired;
      if (missing !== undefined) throw new Error(`digests: expected the fault to strike, got nothing of ${missing}`);
    } finally {
      await cluster.close();
    }
  };
}

/** Stopped in the middle of an epoch, and resumed with a different number of workers. */
function resumeWith(before: number, afterwards: number): Run {
  return async (job, directory) => {
    const cluster = new FaultCluster({ job, directory, workers: before, heartbeatLimitMs });
    try {
      await cluster.start();
      const finished = cluster.finish(limitMs);
      await until(() => cluster.step >= faultStep, limitMs, `step ${faultStep}`);
      await cluster.stop();
      await finished;
    } finally {
      await cluster.close();
    }
    await train(afterwards)(job, directory);
  };
}

async function main(): Promise<void> {
  const scratch = scratchDirectory();
  try {
    console.log(`${machine()}\n`);
    console.log(`| Final digest of | ${jobs.map(({ title }) => title).join(' | ')} |`);
    console.log(`| --- |${' --- |'.repeat(jobs.length)}`);
    const table: string[][] = [];
    for (const row of rows) {
      const digests = await digestsOf(row.run, join(scratch.path, String(table.length)));
      table.push(digests);
      console.log(`| ${row.title} | ${digests.map((digest) => `\`${digest.slice(0, 16)}\``).join(' | ')} |`);
    }
    const equal = table.every((digests) => digests.join() === table[0]!.join());
    console.log(`\n${equal ? 'PASS: one digest per job' : 'FAIL: a job has several digests'}`);
    process.exitCode = equal ? 0 : 1;
  } finally {
    scratch.remove();
  }
}

/** Final digest of every job, run one way. */
async function digestsOf(run: Run, scratch: string): Promise<string[]> {
  const digests: string[] = [];
  for (const { flags } of jobs) {
    const directory = join(scratch, String(digests.length));
    await run(flags, directory);
    digests.push(readRun(directory).digests.at(-1)!.digest);
  }
  return digests;
}

await main();
