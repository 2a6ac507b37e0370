import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { smallManifest } from '../manifest.js';
import { SimulatedCluster } from '../simulated-cluster.js';
import { runs } from '../../thorough.js';

/** An event in the cluster; `worker` picks one of those present, as a share of their number. */
type Happening =
  | { readonly kind: 'join' }
  | { readonly kind: 'ready' | 'lose' | 'fetch' | 'deliver'; readonly worker: number }
  | { readonly kind: 'time'; readonly ms: number };

const worker = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'join' }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant<'ready'>('ready'), worker }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant<'lose'>('lose'), worker }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant<'fetch'>('fetch'), worker }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant<'deliver'>('deliver'), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant<'time'>('time'), ms: fc.constantFrom(600, 11_000) }) },
);

const shards = 4;
const batches = 5;
const base = smallManifest(1);
const manifest = {
  ...base,
  spec: { ...base.spec, shards },
  shards: Array.from({ length: shards }, () => ({ digest: '3', count: 4 })),
  evaluation: Array.from({ length: batches }, (_, i) => ({ digest: '5', count: i < batches - 1 ? 2 : 1 })),
  dataset: { ...base.dataset, trainSamples: 4 * shards, testSamples: 2 * batches - 1 },
};

/** Every item of the tasks, once. */
const all = [0, 1, 2].flatMap((step) => [
  ...Array.from({ length: shards }, (_, shard) => `step ${step}: shard ${shard}`),
  ...Array.from({ length: batches }, (_, batch) => `evaluation ${step}: batch ${batch}`),
]);

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** Three steps, the second one audited, each followed by an evaluation. */
async function tasks(cluster: SimulatedCluster): Promise<void> {
  for (const step of [0, 1, 2]) {
    await cluster.step(step, step === 1 ? [0, 2] : []);
    await cluster.evaluate(step);
  }
}

async function happen(cluster: SimulatedCluster, happened: Happening): Promise<void> {
  if (happened.kind === 'join') cluster.join();
  else if (happened.kind === 'time') vi.advanceTimersByTime(happened.ms);
  else {
    const one = cluster.workers[Math.floor(happened.worker * cluster.workers.length)];
    if (!one) return;
    if (happened.kind === 'ready') cluster.becomeReady(one);
    else cluster[happened.kind](one);
  }
  await settle();
}

/** Lets one worker join and stay; all others are lost or complete their work. */
async function calmDown(cluster: SimulatedCluster, othersStay: boolean): Promise<void> {
  const last = cluster.join();
  cluster.becomeReady(last);
  for (const other of [...cluster.workers]) if (other !== last && !othersStay) cluster.lose(other);
  for (const each of cluster.workers) cluster.becomeReady(each);
  for (let delivered = true; delivered;) {
    delivered = false;
    for (const each of [...cluster.workers]) {
      cluster.fetch(each);
      while (cluster.deliver(each)) delivered = true;
    }
    await settle();
  }
}

describe('the dispatcher', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('completes every step and evaluation once a worker stays, each item counted once', async () => {
    const property = fc.asyncProperty(fc.array(happening, { maxLength: 80 }), fc.boolean(), async (story, stay) => {
      const cluster = new SimulatedCluster(manifest);
      try {
        let isDone = false;
        const done = tasks(cluster).then(() => (isDone = true));
        done.catch(() => undefined);
        for (const happened of story) {
          await happen(cluster, happened);
          const isReady = cluster.workers.some(({ session }) => session.ready !== undefined);
          expect(isDone || (cluster.stuck !== undefined) === !isReady).toBe(true);
        }
        await calmDown(cluster, stay);
        expect(isDone).toBe(true);
        expect([...cluster.counted].sort()).toEqual([...all].sort());
      } finally {
        cluster.close();
      }
    });
    await fc.assert(property, { numRuns: runs(100), endOnFailure: true });
  }, 60_000);
});
