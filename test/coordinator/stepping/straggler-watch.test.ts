import { describe, expect, it } from 'vitest';
import { within } from '../../proto/wire.js';
import { smallManifest } from '../manifest.js';
import type { RawWorker } from '../raw-worker.js';
import { leaf, nextCompute, Rig, samples, values } from '../rig.js';

/** Answers a Compute message for one leaf. */
function answer(worker: RawWorker, step: number, shard: number, gradient: number): void {
  worker.partial({ step, node: leaf(shard), samples: [samples[shard]!] }, values(gradient));
}

/** Two workers and a standby, with enough past steps for the usual time to be known. */
async function underWay(): Promise<{ rig: Rig; a: RawWorker; b: RawWorker; c: RawWorker; next: number }> {
  const rig = await Rig.start(smallManifest(3));
  const [a, b, c] = (await rig.workers('a', 'b', 'c')) as [RawWorker, RawWorker, RawWorker];
  for (let step = 0; step < 5; step++) {
    const { done } = rig.step(step);
    for (const [worker, shard] of [[a, 0] as const, [b, 1] as const]) {
      expect(await nextCompute(worker, step)).toEqual([leaf(shard)]);
      answer(worker, step, shard, 0);
    }
    await within(done, 'the step');
  }
  return { rig, a, b, c, next: 5 };
}

describe('a straggler', () => {
  it('has its shard computed by a standby; the first result counts, and the other one equals it', async () => {
    const { rig, a, b, c, next } = await underWay();
    const { done } = rig.step(next);
    await nextCompute(a, next);
    answer(b, next, 1, 8);
    expect(await nextCompute(c, next)).toEqual([leaf(0)]);
    expect((await c.next('parameters')).parameters.data).toEqual(Buffer.from(values(1).buffer));
    answer(c, next, 0, 4);
    expect(await within(done, 'the step')).toMatchObject({ kind: 'committed', lossSum: 2 });
    // 1 − 0.5 · (4 + 8) / 4 samples
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
    expect(rig.dispatcher.backups).toBe(1);
    expect(rig.events.filter(({ type }) => type === 'speculation')).toEqual([
      { type: 'speculation', step: next, shards: [0], from: 'a', to: 'c' },
    ]);
    rig.step(next + 1);
    answer(a, next, 0, 4);
    a.send({ leaving: { reason: 'done' } });
    await rig.changed('a', 'left');
    expect(rig.faults).toEqual([]);
  });

  it('is reported when its result differs in a bit, within the next step', async () => {
    const { rig, a, b, c, next } = await underWay();
    const { done } = rig.step(next);
    answer(b, next, 1, 8);
    await nextCompute(c, next);
    answer(c, next, 0, 4);
    await within(done, 'the step');
    rig.step(next + 1);
    answer(a, next, 0, 4.0000005);
    await rig.until(() => rig.faults.length > 0, 'a fault');
    expect(rig.faults).toEqual([{ step: next, node: leaf(0), workers: ['c', 'a'] }]);
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
  });

  it('is no longer compared after the next step', async () => {
    const { rig, a, b, c, next } = await underWay();
    for (const step of [next, next + 1]) {
      const { done } = rig.step(step);
      answer(b, step, 1, 8);
      expect(await nextCompute(c, step)).toEqual([leaf(0)]);
      answer(c, step, 0, 4);
      await within(done, 'the step');
    }
    rig.step(next + 2);
    answer(a, next, 0, 99);
    a.send({ leaving: { reason: 'done' } });
    await rig.changed('a', 'left');
    expect(rig.faults).toEqual([]);
  });

  it('gets nothing more until it answers, and then its share again', async () => {
    const { rig, a, b, c, next } = await underWay();
    const first = rig.step(next);
    await nextCompute(a, next);
    answer(b, next, 1, 0);
    await nextCompute(c, next);
    answer(c, next, 0, 0);
    await within(first.done, 'the step');
    const second = rig.step(next + 1);
    expect(rig.dispatcher.assignedTo('a')).toEqual([]);
    expect(await nextCompute(c, next + 1)).toEqual([leaf(0)]);
    answer(a, next, 0, 0);
    answer(c, next + 1, 0, 0);
    answer(b, next + 1, 1, 0);
    await within(second.done, 'the step');
    await rig.until(() => !rig.dispatcher.isStraggler('a'), 'the answer of a');
    rig.step(next + 2);
    expect(['a', 'b', 'c'].map((id) => rig.dispatcher.assignedTo(id))).toEqual([[], [1], [0]]);
    b.break();
    await rig.changed('b', 'lost');
    expect(rig.dispatcher.assignedTo('a')).toEqual([1]);
  });

  it('that is then lost leaves its shard to its backup', async () => {
    const { rig, a, b, c, next } = await underWay();
    const { done } = rig.step(next);
    answer(b, next, 1, 8);
    await nextCompute(c, next);
    a.break();
    await rig.changed('a', 'lost');
    answer(c, next, 0, 4);
    await within(done, 'the step');
    const orders = [...b.received, ...c.received].filter((m) => m.message === 'compute' && m.compute.step === next);
    expect(orders).toHaveLength(2);
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
  });

  it('is named with its activity, once per second', async () => {
    const { rig, a, b, c, next } = await underWay();
    rig.step(next);
    answer(b, next, 1, 8);
    await rig.until(() => rig.missing() === 1, 'one result missing');
    c.break();
    b.break();
    a.send({ heartbeat: { phase: 'computing', residentBytes: 1 } });
    await rig.until(() => rig.dispatcher.waiting !== undefined, 'a wait');
    expect(rig.dispatcher.waiting).toMatchObject({
      step: next,
      workers: [{ workerId: 'a', shards: [0], phase: 'computing' }],
      reason: expect.stringMatching(/^step 5 has taken 1\.\d s: waiting for a, computing shard 0$/) as string,
    });
    expect(rig.events.filter(({ type }) => type === 'waiting')).toHaveLength(1);
  });
});

describe('an audited shard', () => {
  it('is computed by its owner and a standby, and the step waits for both', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b, c] = await rig.workers('a', 'b', 'c');
    const { done } = rig.step(0, [1]);
    expect([await nextCompute(a!, 0), await nextCompute(b!, 0), await nextCompute(c!, 0)]).toEqual([
      [leaf(0)],
      [leaf(1)],
      [leaf(1)],
    ]);
    answer(c!, 0, 1, 8);
    answer(a!, 0, 0, 4);
    await rig.until(() => rig.missing() === 1, 'one result missing');
    expect([...rig.params]).toEqual([1, 1, 1]);
    answer(b!, 0, 1, 8);
    expect(await within(done, 'the step')).toMatchObject({ kind: 'committed', lossSum: 2 });
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
    expect(rig.faults).toEqual([]);
  });

  it('with different bits is a fault, and its owner’s result is the one that counts', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b, c] = await rig.workers('a', 'b', 'c');
    const { done } = rig.step(0, [1]);
    await nextCompute(c!, 0);
    answer(c!, 0, 1, 99);
    await rig.until(() => rig.missing() === 2, 'the audit done');
    answer(a!, 0, 0, 4);
    answer(b!, 0, 1, 8);
    await within(done, 'the step');
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
    expect(rig.faults).toEqual([{ step: 0, node: leaf(1), workers: ['c', 'b'] }]);
  });

  it('is computed twice by a single worker, from separate leaves', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a] = await rig.workers('a');
    const { done } = rig.step(0, [1]);
    expect(await nextCompute(a!, 0)).toEqual([leaf(0), leaf(1), leaf(1)]);
    answer(a!, 0, 0, 4);
    answer(a!, 0, 1, 8);
    answer(a!, 0, 1, 9);
    await within(done, 'the step');
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
    expect(rig.faults).toEqual([{ step: 0, node: leaf(1), workers: ['a', 'a'] }]);
  });

  it('goes to another auditor when the first one is lost', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b, c] = await rig.workers('a', 'b', 'c');
    const { done } = rig.step(0, [1]);
    await nextCompute(c!, 0);
    c!.break();
    await rig.changed('c', 'lost');
    expect([await nextCompute(a!, 0), await nextCompute(a!, 0)]).toEqual([[leaf(0)], [leaf(1)]]);
    answer(a!, 0, 0, 4);
    answer(b!, 0, 1, 8);
    answer(a!, 0, 1, 8);
    await within(done, 'the step');
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
    expect(rig.faults).toEqual([]);
  });

  it('goes to a third worker when its auditor is slow', async () => {
    const { rig, a, b, c, next } = await underWay();
    const { done } = rig.step(next, [1]);
    expect(await nextCompute(c, next)).toEqual([leaf(1)]);
    await nextCompute(b, next);
    answer(b, next, 1, 8);
    expect(await nextCompute(a, next)).toEqual([leaf(0)]);
    answer(a, next, 0, 4);
    expect(await Promise.race([nextCompute(a, next), nextCompute(b, next)])).toEqual([leaf(1)]);
    expect(rig.dispatcher.backups).toBe(1);
    answer(a, next, 1, 8);
    answer(b, next, 1, 8);
    expect(await within(done, 'the step')).toMatchObject({ kind: 'committed', lossSum: 2 });
    expect(rig.faults).toEqual([]);
    expect(rig.dispatcher.isStraggler('c')).toBe(true);
  });

  it('is fetched by the auditor, which stays assigned to it', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b] = [rig.worker('a'), rig.worker('b')];
    await a.start([0]);
    await b.start([1]);
    await rig.until(
      () => rig.roster.readySessions.length === 2 && rig.roster.sessions.every(({ holding }) => holding.size === 1),
      'holding',
    );
    rig.step(0, [1]);
    expect(await nextCompute(a, 0)).toEqual([leaf(0), leaf(1)]);
    const told = a.received.filter((m) => m.message === 'assignment').map((m) => m.assignment.shards);
    expect(told.at(-1)).toEqual([0, 1]);
  });
});
