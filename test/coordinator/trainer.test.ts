import { describe, expect, it, onTestFinished } from 'vitest';
import { Accumulator } from '../../coordinator/arithmetic/accumulator.js';
import type * as TrainerModule from '../../coordinator/trainer.js';
import type * as RosterModule from '../../coordinator/roster.js';
import type * as EventsModule from '../../coordinator/events.js';
import type * as ClusterModule from '../../coordinator/cluster-service.js';
import type { RunEvent } from '../../coordinator/events.js';
import type { JoinStream } from '../../coordinator/session.js';
import { chainDigest, stateDigest } from '../../job/digest.js';
import { manifestPlan } from '../../job/manifest.js';
import type { Node } from '../../proto/messages.js';
import { serve, within } from '../proto/wire.js';
import { built } from './built.js';
import { smallManifest } from './manifest.js';
import { RawWorker } from './raw-worker.js';

const { Trainer } = await built<typeof TrainerModule>('coordinator/trainer.js');
const { Roster } = await built<typeof RosterModule>('coordinator/roster.js');
const { RunEvents } = await built<typeof EventsModule>('coordinator/events.js');
const { ClusterService } = await built<typeof ClusterModule>('coordinator/cluster-service.js');

const manifest = smallManifest(3);
const plan = manifestPlan(manifest);
const gradient = (step: number, shard: number) => Float32Array.of(0.1, 0.2, 0.3).map((g) => g * (step + 1) + shard);
const sumOf = ({ first, count }: Node, step: number) =>
  count === 1 ? gradient(step, first) : gradient(step, 0).map((g, i) => g + gradient(step, 1)[i]!);

/** What the run must come to, computed here: the chain after each epoch, and the state at the end. */
function reference() {
  const params = Float32Array.of(1, 2, 3);
  const { optimizer } = manifest.spec;
  const [state, momentum] = [Float32Array.of(0), Float32Array.of(0.5)];
  const accumulator = new Accumulator({ optimizer, shards: 2, params, state, momentum });
  let chain = manifest.digest;
  const chains: string[] = [];
  for (let step = 0; step < 4; step++) {
    accumulator.begin({ step, samples: 4, learningRate: 0.5 });
    for (const shard of [0, 1]) {
      accumulator.addOutcome(step, { shard, samples: 2, lossSum: 1, correct: 0, statistics: Float32Array.of(0) });
      accumulator.addChunk(step, { first: shard, count: 1 }, 0, gradient(step, shard));
    }
    if (step % 2 === 1) chains.push((chain = chainDigest(chain, accumulator.digest(step + 1))));
  }
  return { chains, snapshot: accumulator.snapshot(4) };
}

/** A trainer behind a real server. */
async function start(wantedWorkers: number, startLimitMs = 20_000) {
  const events: RunEvent[] = [];
  const bus = new RunEvents();
  bus.subscribe((event) => events.push(event));
  const roster = new Roster(60_000, () => undefined);
  const trainer = new Trainer({
    manifest,
    plan,
    term: 1,
    initial: { params: Float32Array.of(1, 2, 3), state: Float32Array.of(0) },
    momentum: Float32Array.of(0.5),
    testLabels: Uint8Array.of(0, 1, 1),
    roster,
    events: bus,
    wantedWorkers,
    startLimitMs,
  });
  onTestFinished(() => trainer.close());
  onTestFinished(() => roster.close());
  const welcome = { jobJson: '{}', term: 1, heartbeatMs: 500 };
  const cluster = new ClusterService({ roster, trainer, events: bus, welcome });
  const address = await serve({ Join: (stream: JoinStream) => cluster.join(stream) });
  return { trainer, events, address };
}

interface Script {
  /** Called before a step is computed; true: it is not. */
  readonly skip?: (worker: RawWorker, step: number) => boolean;
  readonly lossSum?: number;
}

/** A worker that holds all data and answers every order. */
async function worker(address: string, workerId: string, { skip, lossSum = 1 }: Script = {}): Promise<RawWorker> {
  const raw = new RawWorker(address, workerId);
  raw.onReceived = (received) => {
    if (received.message === 'compute') {
      const { step, nodes } = received.compute;
      if (skip?.(raw, step)) return;
      for (const node of nodes) {
        raw.partial({ step, node, samples: [2, 2] }, sumOf(node, step), { statistics: 1, reports: { lossSum } });
      }
    }
    if (received.message !== 'evaluate') return;
    for (const batch of received.evaluate.batches) {
      const rows = Float32Array.from(batch === 0 ? [-0.25, -2, -1, -0.5] : [-3, -0.125]);
      raw.send({ rows: { term: 1, step: received.evaluate.step, batch, data: Buffer.from(rows.buffer) } });
    }
  };
  await raw.start([0, 1]);
  return raw;
}

const stepsOf = (events: RunEvent[]) => events.flatMap((event) => (event.type === 'step' ? [event.record] : []));

describe('a run', () => {
  it('trains every step, evaluates after every epoch, and ends with the digest chain', async () => {
    const { trainer, events, address } = await start(1);
    const run = trainer.run();
    await worker(address, 'w1');
    const result = await within(run, 'the run');
    const { chains, snapshot } = reference();
    expect(result).toEqual({
      outcome: 'finished',
      finalDigest: chains[1],
      snapshot,
      lastTestRows: [
        { index: 0, logProbabilities: [-0.25, -2], predicted: 0, label: 0 },
        { index: 1, logProbabilities: [-1, -0.5], predicted: 1, label: 1 },
        { index: 2, logProbabilities: [-3, -0.125], predicted: 1, label: 1 },
      ],
    });
    expect(
      stepsOf(events).map(({ step, epoch, samples, loss, learningRate, workers }) => [
        step,
        epoch,
        samples,
        loss,
        learningRate,
        workers,
      ]),
    ).toEqual([
      [0, 1, 4, 0.5, 0.5, 1],
      [1, 1, 4, 0.5, 0.5, 1],
      [2, 2, 4, 0.5, 0.5, 1],
      [3, 2, 4, 0.5, 0.5, 1],
    ]);
    expect(events.filter(({ type }) => type === 'epoch')).toEqual([
      { type: 'epoch', epoch: 1, step: 2, digest: chains[0] },
      { type: 'epoch', epoch: 2, step: 4, digest: chains[1] },
    ]);
    expect(events.filter(({ type }) => type === 'evaluation')).toMatchObject([
      { record: { step: 2, epoch: 1, correct: 3, total: 3 } },
      { record: { step: 4, epoch: 2, loss: (0.25 + 0.5 + 0.125) / 3 } },
    ]);
  });

  it('has the same digest with two workers, and with one that dies in a step', async () => {
    const { chains } = reference();
    const two = await start(2);
    const run = two.trainer.run();
    await worker(two.address, 'a');
    await worker(two.address, 'b');
    expect((await within(run, 'the run')).finalDigest).toBe(chains[1]);
    expect(
      stepsOf(two.events)
        .map(({ workers }) => workers)
        .slice(1),
    ).toEqual([2, 2, 2]);

    const broken = await start(2);
    const other = broken.trainer.run();
    await worker(broken.address, 'a', { skip: (raw, step) => step === 1 && (raw.break(), true) });
    await worker(broken.address, 'b');
    expect((await within(other, 'the run')).finalDigest).toBe(chains[1]);
    expect(
      stepsOf(broken.events)
        .map(({ workers }) => workers)
        .slice(1),
    ).toEqual([1, 1, 1]);
  });

  it('says whom it waits for, and gives up after the limit', async () => {
    const { trainer, events, address } = await start(2, 300);
    const run = trainer.run();
    await worker(address, 'w1');
    await expect(within(run, 'the end')).rejects.toMatchObject({
      code: 'NO_WORKERS',
      message: expect.stringMatching(/^start: waiting for .*1 of 2 ready after 0 s; see the workers' logs$/) as string,
    });
    expect(events.filter(({ type }) => type === 'state')[0]).toMatchObject({ state: 'waiting' });
  });

  it('ends with the step and the shards when a loss is no number', async () => {
    const { trainer, address } = await start(1);
    const run = trainer.run();
    await worker(address, 'w1', { lossSum: NaN });
    await expect(within(run, 'the end')).rejects.toMatchObject({
      code: 'NON_FINITE',
      message: expect.stringMatching(/^step 0: .*shard\(s\) 0, 1/) as string,
    });
  });

  it('ends with the error that it is failed with', async () => {
    const { trainer } = await start(1);
    const run = trainer.run();
    trainer.fail(new Error('all workers are gone'));
    await expect(within(run, 'the end')).rejects.toThrow('all workers are gone');
  });
});

describe('a run that is stopped', () => {
  it('while it waits for workers ends at once, with the initial state', async () => {
    const { trainer, events } = await start(1);
    const run = trainer.run();
    trainer.stop('SIGINT');
    const { outcome, snapshot, finalDigest } = await within(run, 'the end');
    expect([outcome, snapshot.step, [...snapshot.params]]).toEqual(['stopped', 0, [1, 2, 3]]);
    expect(finalDigest).toBe(stateDigest(snapshot));
    expect(stepsOf(events)).toEqual([]);
  });

  it('ends after the step in progress', async () => {
    const { trainer, events, address } = await start(1);
    const run = trainer.run();
    await worker(address, 'w1', { skip: (_, step) => (step === 1 && trainer.stop('SIGINT'), false) });
    const { outcome, snapshot } = await within(run, 'the end');
    expect([outcome, snapshot.step]).toEqual(['stopped', 2]);
    expect(stepsOf(events)).toHaveLength(2);
  });

  it('does not wait for a step that hangs, and nothing of it counts when it comes after all', async () => {
    const { trainer, events, address } = await start(1);
    const run = trainer.run();
    const raw = await worker(address, 'w1', { skip: (_, step) => step === 1 && (trainer.stop('SIGINT'), true) });
    const { outcome, snapshot, finalDigest } = await within(run, 'the end');
    expect([outcome, snapshot.step]).toEqual(['stopped', 1]);
    expect(finalDigest).toBe(stateDigest(snapshot));
    const known = events.length;
    const root = { first: 0, count: 2 };
    raw.partial({ step: 1, node: root, samples: [2, 2] }, sumOf(root, 1));
    raw.send({ leaving: { reason: 'x' } });
    await raw.ended;
    expect(events.slice(known)).toMatchObject([{ type: 'worker', change: 'left' }]);
    expect(trainer.step).toBe(1);
  });
});
