import { describe, expect, it } from 'vitest';
import type { Node, ShardReport } from '../../../proto/messages.js';
import { CHUNK_VALUES, chunkFields } from '../../../proto/chunks.js';
import { nonFiniteError } from '../../../coordinator/stepping/step-task.js';
import { within } from '../../proto/wire.js';
import { smallManifest } from '../manifest.js';
import type { RawWorker } from '../raw-worker.js';
import { leaf, nextCompute, Rig, samples, values } from '../rig.js';

const root: Node = { first: 0, count: 2 };

describe('a step', () => {
  it('goes to two workers, one shard each, with the parameters, and ends in one update', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b] = await rig.workers('a', 'b');
    const { done } = rig.step(0);
    expect(await nextCompute(a!, 0)).toEqual([leaf(0)]);
    const { parameters } = await a!.next('parameters');
    expect(parameters).toEqual({
      term: 1,
      step: 0,
      evaluation: false,
      ...chunkFields(values(1), 0),
      data: Buffer.from(values(1).buffer),
    });
    expect(await nextCompute(b!, 0)).toEqual([leaf(1)]);
    b!.partial({ step: 0, node: leaf(1), samples }, values(8));
    a!.partial({ step: 0, node: leaf(0), samples }, values(4));
    expect(await within(done, 'the step')).toMatchObject({ kind: 'committed', step: 0, lossSum: 2, correct: 0 });
    // 1 − 0.5 · (8 + 4) / 4 samples
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
  });

  it('goes as one node to a single worker', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a] = await rig.workers('a');
    const { done } = rig.step(0);
    expect(await nextCompute(a!, 0)).toEqual([root]);
    a!.partial({ step: 0, node: root, samples }, values(12));
    await within(done, 'the step');
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
  });

  it('keeps a third worker as standby', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b, c] = await rig.workers('a', 'b', 'c');
    const { done } = rig.step(0);
    for (const [worker, shard] of [[a!, 0] as const, [b!, 1] as const]) {
      expect(await nextCompute(worker, 0)).toEqual([leaf(shard)]);
      worker.partial({ step: 0, node: leaf(shard), samples }, values(1));
    }
    await within(done, 'the step');
    expect(c!.received.filter(({ message }) => message === 'compute' || message === 'parameters')).toEqual([]);
    expect(rig.dispatcher.assignedTo('c')).toEqual([]);
  });

  it('waits for a worker if there is none, and goes to the first that is ready', async () => {
    const rig = await Rig.start(smallManifest(3));
    const { done } = rig.step(0);
    const [a] = await rig.workers('a');
    expect(await nextCompute(a!, 0)).toEqual([root]);
    a!.partial({ step: 0, node: root, samples }, values(0));
    await within(done, 'the step');
  });
});

describe('a worker that is lost in a step', () => {
  const big = CHUNK_VALUES + 2;
  const gradient = (shard: number) => Float32Array.from({ length: big }, (_, i) => (shard + 1) / (i + 3));
  const second = gradient(1);
  const sum = gradient(0).map((value, i) => value + second[i]!);

  /** The digest after one step in which `a` ends, as `disturb` says, without computing anything. */
  async function disturbed(disturb: (a: RawWorker) => void): Promise<{ rig: Rig; digest: string; orders: Node[] }> {
    const rig = await Rig.start(smallManifest(big));
    const [a, b] = await rig.workers('a', 'b');
    const { done } = rig.step(0);
    await nextCompute(a!, 0);
    const orders = await nextCompute(b!, 0);
    disturb(a!);
    b!.partial({ step: 0, node: leaf(1), samples }, gradient(1));
    const more = await nextCompute(b!, 0);
    b!.partial({ step: 0, node: leaf(0), samples }, gradient(0));
    await within(done, 'the step');
    return { rig, digest: rig.arithmetic.accumulator.digest(1), orders: [...orders, ...more] };
  }

  it.each<[string, (a: RawWorker) => void]>([
    ['its connection broke', (a) => a.break()],
    ['it left', (a) => a.send({ leaving: { reason: 'SIGTERM' } })],
    ['its engine failed', (a) => a.send({ failure: { code: 'ENGINE_FAILED', message: 'x' } })],
    [
      'it had sent half of its partial',
      (a) => {
        a.partial({ step: 0, node: leaf(0), samples }, gradient(0), { chunks: [0] });
        a.send({ leaving: { reason: 'x' } });
      },
    ],
    [
      'it had sent half of a larger node than it was asked for',
      (a) => {
        a.partial({ step: 0, node: root, samples }, sum, { chunks: [0] });
        a.send({ leaving: { reason: 'x' } });
      },
    ],
  ])('because %s: another computes its shard, every sample counts once, the bits are the same', async (_, disturb) => {
    const undisturbed = await Rig.start(smallManifest(big));
    const [only] = await undisturbed.workers('only');
    const { done } = undisturbed.step(0);
    await nextCompute(only!, 0);
    only!.partial({ step: 0, node: root, samples }, sum);
    await within(done, 'the step');
    const { rig, digest, orders } = await disturbed(disturb);
    expect(digest).toBe(undisturbed.arithmetic.accumulator.digest(1));
    expect(orders).toEqual([leaf(1), leaf(0)]);
    expect(rig.dispatcher.assignedTo('b')).toEqual([0, 1]);
  });

  it('is not replaced for what it had delivered', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b] = await rig.workers('a', 'b');
    const { done } = rig.step(0);
    await nextCompute(a!, 0);
    await nextCompute(b!, 0);
    a!.partial({ step: 0, node: leaf(0), samples }, values(4));
    a!.send({ leaving: { reason: 'x' } });
    await rig.changed('a', 'left');
    b!.partial({ step: 0, node: leaf(1), samples }, values(8));
    await within(done, 'the step');
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
    expect(b!.received.filter(({ message }) => message === 'compute')).toHaveLength(1);
    expect(b!.received.filter(({ message }) => message === 'parameters')).toHaveLength(1);
  });
});

describe("a partial that doesn't match the job", () => {
  const fields = chunkFields(values(99), 0);
  const report = (overrides: globalThis.Partial<ShardReport> = {}): ShardReport => ({
    shard: 0,
    samples: 2,
    lossSum: 500,
    correct: 0,
    statistics: Buffer.alloc(4),
    computeMs: 1,
    ...overrides,
  });
  const good = { term: 1, step: 0, node: leaf(0), ...fields, reports: [report()] };

  it.each<[string, object, RegExp]>([
    ['a node beyond the shards', { node: leaf(2) }, /a node of the tree over 2 shards, got {"first":2,"count":1}/],
    ['a node of no shards', { node: { first: 0, count: 0 } }, /a node of the tree over 2 shards/],
    ['a node of too many shards', { node: { first: 0, count: 0xffffffff } }, /a node of the tree over 2 shards/],
    ['no node', { node: null }, /a node of the tree over 2 shards, got null/],
    [
      'a short chunk',
      { data: fields.data.subarray(4) },
      /expected chunk 0\.\.0 of 1 with 12 bytes, got chunk 0 of 1 with 8/,
    ],
    ['no bytes', { data: Buffer.alloc(0) }, /with 12 bytes, got chunk 0 of 1 with 0 bytes/],
    ['a chunk too many', { chunk: 1, chunks: 2 }, /got chunk 1 of 2/],
    ['no report', { reports: [] }, /reports of shards 0, got /],
    ['the report of another shard', { reports: [report({ shard: 1 })] }, /reports of shards 0, got 1/],
    ['two reports', { reports: [report(), report()] }, /reports of shards 0, got 0,0/],
    ['too many samples', { reports: [report({ samples: 3 })] }, /2 samples of shard 0, got 3/],
    ['no samples', { reports: [report({ samples: 0 })] }, /2 samples of shard 0, got 0/],
    ['more correct than samples', { reports: [report({ correct: 3 })] }, /at most 2 correct of shard 0, got 3/],
    ['short statistics', { reports: [report({ statistics: Buffer.alloc(3) })] }, /4 bytes of statistics, got 3/],
    [
      'a good report and a bad one',
      { node: root, reports: [report(), report({ shard: 1, samples: 7 })] },
      /2 samples of shard 1, got 7/,
    ],
  ])(
    'with %s: its sender is informed, another worker computes the shard, none of it counts',
    async (_, change, message) => {
      const rig = await Rig.start(smallManifest(3));
      const [a, b] = await rig.workers('a', 'b');
      const { done } = rig.step(0);
      await nextCompute(a!, 0);
      await nextCompute(b!, 0);
      a!.send({ partial: { ...good, ...change } });
      const error = await within(a!.ended, 'the end of a');
      expect(error).toMatchObject({ code: 'BAD_MESSAGE', retryable: false });
      expect(error!.message).toMatch(message);
      expect(error!.message).toContain('from a: expected ');
      expect(await nextCompute(b!, 0)).toEqual([leaf(0)]);
      b!.partial({ step: 0, node: leaf(0), samples }, values(4));
      b!.partial({ step: 0, node: leaf(1), samples }, values(8));
      expect(await within(done, 'the step')).toMatchObject({ kind: 'committed', step: 0, lossSum: 2, correct: 0 });
      expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
    },
  );

  it('because it lacks its first chunk, is rejected as well, as the step would never end', async () => {
    const rig = await Rig.start(smallManifest(CHUNK_VALUES + 1));
    const [a] = await rig.workers('a');
    rig.step(0);
    await nextCompute(a!, 0);
    a!.partial({ step: 0, node: root, samples }, new Float32Array(CHUNK_VALUES + 1), { chunks: [1] });
    const error = await within(a!.ended, 'the end of a');
    expect(error).toMatchObject({ code: 'BAD_CHUNK', message: expect.stringContaining('chunk 0') as string });
  });
});

describe('a partial of another term or step', () => {
  it('is dropped silently, whatever its content', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a] = await rig.workers('a');
    const { done } = rig.step(1);
    await nextCompute(a!, 1);
    a!.partial({ step: 0, node: root, samples }, values(500));
    a!.partial({ step: 2, node: root, samples }, values(500));
    a!.partial({ term: 2, step: 1, node: root, samples }, values(500));
    a!.partial({ step: 0, node: leaf(77), samples }, values(500));
    a!.partial({ step: 1, node: root, samples }, values(12));
    await within(done, 'the step');
    a!.partial({ step: 1, node: root, samples }, values(500));
    a!.send({ leaving: { reason: 'x' } });
    await rig.changed('a', 'left');
    expect([...rig.params]).toEqual([-0.5, -0.5, -0.5]);
    expect(rig.changes).toEqual(['a joined', 'a ready', 'a left']);
  });
});

describe('a step that is not finite', () => {
  it.each<[string, number, Float32Array, number, number[]]>([
    ['the losses of a node', NaN, values(1), 1, [0, 1]],
    ['the gradient of one shard', 1, Float32Array.of(0, NaN, 0), 2, [1]],
  ])(
    'because of %s names the shards, and the parameters are those before it',
    async (_, lossSum, bad, count, named) => {
      const rig = await Rig.start(smallManifest(3));
      const [a, b] = await rig.workers('a', 'b').then((all) => all.slice(0, count));
      if (count === 1) rig.roster.remove(rig.roster.get('b')!);
      const { task, done } = rig.step(0);
      if (b) a!.partial({ step: 0, node: leaf(0), samples }, values(1));
      (b ?? a)!.partial({ step: 0, node: b ? leaf(1) : root, samples }, bad, { reports: { lossSum } });
      expect(await within(done, 'the step')).toMatchObject({ kind: 'nonFinite', step: 0, shards: named });
      expect([...rig.params]).toEqual([1, 1, 1]);
      const error = nonFiniteError(task, named, 'checkpoints/step-00000000.safetensors');
      expect(error).toMatchObject({
        code: 'NON_FINITE',
        message:
          `step 0: expected finite loss and gradients, got NaN or infinity in shard${named.length === 1 ? '' : 's'} ${named.join(', ')} from ` +
          `${b ? 'b' : 'a'}; parameters are those before the step; ` +
          'last good checkpoint: checkpoints/step-00000000.safetensors; ' +
          'lower the learning rate, lengthen the warm-up, or set onNonFinite: skip',
      });
    },
  );
});

describe('data for workers', () => {
  it('is offered before the first step: to joined workers, as if all required ones were connected', async () => {
    const rig = await Rig.start(smallManifest(3));
    const a = rig.worker('a');
    a.hello();
    expect((await a.next('assignment')).assignment).toEqual({ generation: 0, shards: [0], evaluationBatches: [0] });
    const b = rig.worker('b');
    b.hello();
    expect((await b.next('assignment')).assignment).toEqual({ generation: 0, shards: [1], evaluationBatches: [1] });
    expect(rig.dispatcher.generation).toBe(0);
  });

  it('is reassigned, under the next generation, when a worker has joined or left', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a] = await rig.workers('a');
    rig.evaluate(0);
    expect(rig.dispatcher.generation).toBe(1);
    const [b] = await rig.workers('b');
    rig.evaluate(1);
    expect(rig.dispatcher.generation).toBe(2);
    expect([rig.dispatcher.assignedTo('a'), rig.dispatcher.assignedTo('b')]).toEqual([[0], [1]]);
    rig.evaluate(2);
    expect(rig.dispatcher.generation).toBe(2);
    a!.break();
    await rig.changed('a', 'lost');
    expect(rig.dispatcher.generation).toBe(3);
    expect(rig.dispatcher.assignedTo('b')).toEqual([0, 1]);
    b!.break();
    await rig.changed('b', 'lost');
  });
});
