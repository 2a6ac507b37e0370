import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { scratchDirectory } from '../e2e/lockstep.js';
import { FaultCluster } from '../faults/fault-cluster.js';
import type { Fault } from '../faults/plan.js';
import { until } from '../until.js';
import { machine, quantile } from './stats.mjs';

/**
 * Recovery time after a fault: node --import ./test/faults/typescript.mjs test/bench/recovery.ts [--rounds N]
 *
 * Three workers compute the shards of cluster-cnn3; a fourth is a standby with prefetched shards. A round strikes one
 * worker and waits until the cluster is complete again, so rounds don't disturb each other.
 */
const job = [
  ...['--preset', 'cluster-cnn3', '--shards', '3', '--epochs', '2000', '--set', 'schedule.type=constant'],
  ...['--set', 'schedule.warmupSteps=0', '--set', 'data.dataset=synthetic', '--set', 'data.limit=2000'],
  ...['--set', 'evaluation.everyEpochs=0'],
];
const workers = 4;
const heartbeatLimitMs = 2_000;
const waitMs = 60_000;

const measured: readonly { readonly label: string; readonly bar: string; readonly fault: Fault }[] = [
  { label: 'worker killed', bar: '0.5', fault: { kind: 'kill' } },
  { label: 'worker cut off in silence', bar: '2.5', fault: { kind: 'hold', ms: 2 * heartbeatLimitMs } },
  { label: 'coordinator killed: from its restart', bar: '5', fault: { kind: 'killCoordinator' } },
];

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '11' } } });
  const rounds = Number(values.rounds);
  const scratch = scratchDirectory();
  const directory = join(scratch.path, 'run');
  const cluster = new FaultCluster({ job, directory, workers, heartbeatLimitMs });
  console.log(`${machine()}; ${workers} workers, 3 shards, heartbeat limit ${heartbeatLimitMs / 1000} s\n`);
  console.log('| From the fault to the next step | n | median (s) | quartiles (s) | worst (s) | bar (s) |');
  console.log('| --- | --: | --: | --: | --: | --: |');
  try {
    await cluster.start();
    const finished = cluster.finish(3_600_000);
    finished.catch(() => undefined);
    for (const { label, bar, fault } of measured) {
      const seconds = await measure(cluster, fault, rounds);
      const f = (q: number) => quantile(seconds, q).toFixed(2);
      console.log(`| ${label} | ${rounds} | ${f(0.5)} | ${f(0.25)} to ${f(0.75)} | ${f(1)} | ${bar} |`);
    }
    await cluster.stop();
    await finished;
  } finally {
    await cluster.close();
    scratch.remove();
  }
}

async function measure(cluster: FaultCluster, fault: Fault, rounds: number): Promise<number[]> {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await whole(cluster);
    const victim = cluster.busy[round % cluster.busy.length]!;
    cluster.strike({ at: { worker: victim, step: cluster.step }, fault });
    const fired = cluster.fired.at(-1)!;
    await until(() => fired.recoveredMs !== undefined, waitMs, `a step after ${fault.kind}`);
    seconds.push(fired.recoveredMs! / 1000);
  }
  return seconds;
}

/** Waits until every worker has joined and has its shards, and some undisturbed steps have passed. */
async function whole(cluster: FaultCluster): Promise<void> {
  const members = [...cluster.members.values()];
  await until(() => members.every(({ holding }) => holding > 0), waitMs, 'all workers with shards');
  const peace = cluster.step + 5;
  await until(() => cluster.step >= peace && cluster.busy.length > 0, waitMs, `step ${peace}`);
}

await main();
