import { describe, expect, it } from 'vitest';
import {
  Accumulator,
  type AccumulatorSetup,
  type StepOutcome,
} from '../../../../coordinator/stepping/reduction/accumulator.js';
import { stateDigest } from '../../../../job/digest.js';
import { bytesOf, CHUNK_VALUES } from '../../../../proto/chunks.js';
import type { ShardReport } from '../../../../proto/messages.js';

const plainSgd = { type: 'sgd', learningRate: 0.5, momentum: 0, nesterov: false, weightDecay: 0 } as const;
const heavySgd = { ...plainSgd, momentum: 0.9 } as const;
const update = { step: 4, samples: 8, learningRate: 0.5 };

function setup(overrides: Partial<AccumulatorSetup> = {}): AccumulatorSetup {
  return {
    optimizer: plainSgd,
    shards: 2,
    params: Float32Array.of(1, 2, 3),
    state: Float32Array.of(0, 1),
    momentum: Float32Array.of(0.5, 0.5),
    ...overrides,
  };
}

type Change = Partial<Omit<ShardReport, 'statistics'>> & { readonly statistics?: Float32Array };

function report(shard: number, { statistics = Float32Array.of(2, 3), ...change }: Change = {}): ShardReport {
  const counts = { samples: 4, lossSum: 8 + shard, correct: 1 + shard, computeMs: 1 };
  return { shard, ...counts, statistics: bytesOf(statistics), ...change };
}

const leaf = (first: number) => ({ first, count: 1 });

/** One step of two shards with gradients `a` and `b`; returns its outcome. */
function runStep(accumulator: Accumulator, a: Float32Array, b: Float32Array): (StepOutcome | undefined)[] {
  accumulator.begin(update);
  return [
    accumulator.addReport(4, report(0)),
    accumulator.addChunk(4, leaf(0), 0, a),
    accumulator.addReport(4, report(1)),
    accumulator.addChunk(4, leaf(1), 0, b),
  ];
}

describe('a step', () => {
  it('is that of SGD on the mean gradient, computed by hand', () => {
    const job = setup();
    const results = runStep(new Accumulator(job), Float32Array.of(8, 0, -8), Float32Array.of(8, 16, -8));
    expect(results.slice(0, 3)).toEqual([undefined, undefined, undefined]);
    expect(results[3]).toMatchObject({ kind: 'committed', step: 4, lossSum: 17, correct: 3 });
    // param − 0.5 · (sum of gradients / 8 samples)
    expect([...job.params]).toEqual([1 - 0.5 * 2, 2 - 0.5 * 2, 3 + 0.5 * 2]);
  });

  it('folds the shards’ statistics once, weighted by their samples', () => {
    const job = setup();
    const accumulator = new Accumulator(job);
    accumulator.begin(update);
    accumulator.addChunk(4, { first: 0, count: 2 }, 0, new Float32Array(3));
    accumulator.addReport(4, report(1, { samples: 6, statistics: Float32Array.of(4, 0) }));
    accumulator.addReport(4, report(0, { samples: 2, statistics: Float32Array.of(0, 8) }));
    // 0.5 · running + 0.5 · (2 · first + 6 · second) / 8
    expect([...job.state]).toEqual([0.5 * 0 + 0.5 * 3, 0.5 * 1 + 0.5 * 2]);
  });

  it('counts the first outcome of a shard that comes twice', () => {
    const accumulator = new Accumulator(setup());
    accumulator.begin(update);
    accumulator.addChunk(4, { first: 0, count: 2 }, 0, new Float32Array(3));
    accumulator.addReport(4, report(0));
    expect(accumulator.addReport(4, report(0, { lossSum: 1000 }))).toBeUndefined();
    expect(accumulator.addReport(4, report(1))).toMatchObject({ kind: 'committed', lossSum: 17 });
  });

  it('changes nothing before the last outcome and the last chunk have arrived', () => {
    const job = setup({ params: new Float32Array(CHUNK_VALUES + 1).fill(1) });
    const accumulator = new Accumulator(job);
    const root = { first: 0, count: 2 };
    accumulator.begin(update);
    accumulator.addReport(4, report(0));
    accumulator.addReport(4, report(1));
    expect(accumulator.addChunk(4, root, 0, new Float32Array(CHUNK_VALUES).fill(16))).toBeUndefined();
    expect(job.params.every((value) => value === 1)).toBe(true);
    expect([...job.state]).toEqual([0, 1]);
    expect(accumulator.addChunk(4, root, 1, Float32Array.of(32))).toMatchObject({ kind: 'committed' });
    expect([job.params[0], job.params[CHUNK_VALUES - 1], job.params[CHUNK_VALUES]]).toEqual([0, 0, -1]);
  });

  it('gives the same bits for every order of arrival and every cover of the tree', () => {
    const shards = 5;
    const values = CHUNK_VALUES + 3;
    const gradient = (shard: number) =>
      Float32Array.from({ length: values }, (_, i) => Math.fround(1 / (3 + shard + (i % 97))) * (shard % 2 ? -1 : 1));
    const leaves = Array.from({ length: shards }, (_, shard) => ({ node: leaf(shard), values: gradient(shard) }));
    const sum = (a: Float32Array, b: Float32Array) => a.map((value, i) => value + b[i]!);
    const pair = { node: { first: 0, count: 2 }, values: sum(gradient(0), gradient(1)) };
    const triple = { node: { first: 0, count: 3 }, values: sum(pair.values, gradient(2)) };
    const covers = [
      leaves,
      [...leaves].reverse(),
      [leaves[4]!, pair, leaves[3]!, leaves[2]!],
      [leaves[3]!, triple, leaves[4]!],
      [pair, ...leaves.slice(2), leaves[0]!],
    ];
    const finals = covers.map((parts, index) => {
      const params = new Float32Array(values).fill(0.1);
      const accumulator = new Accumulator(setup({ shards, params, optimizer: heavySgd }));
      const order = index % 2 ? [1, 0] : [0, 1];
      for (const step of [4, 5]) {
        accumulator.begin({ ...update, step });
        for (let shard = 0; shard < shards; shard++) accumulator.addReport(step, report((shard * 3) % shards));
        for (const chunk of order) {
          for (const part of parts) {
            const piece = part.values.slice(chunk * CHUNK_VALUES, (chunk + 1) * CHUNK_VALUES);
            accumulator.addChunk(step, part.node, chunk, piece);
          }
        }
      }
      return accumulator.digest(6);
    });
    expect(finals[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(finals).size).toBe(1);
  });
});

describe('a step that fails', () => {
  const bad: [string, Change, number, number[]][] = [
    ['loss', { lossSum: NaN }, 0, [1]],
    ['loss without bound', { lossSum: Infinity }, 0, [1]],
    ['statistic', { statistics: Float32Array.of(0, -Infinity) }, 0, [1]],
    ['gradient', {}, NaN, [1]],
    ['gradient without bound', {}, Infinity, [1]],
  ];
  it.each(bad)(
    'because of a %s that is no number changes nothing, and names the shards',
    (_, part, gradient, shards) => {
      const job = setup({ optimizer: heavySgd });
      const accumulator = new Accumulator(job);
      const before = accumulator.digest(4);
      accumulator.begin(update);
      accumulator.addReport(4, report(0));
      accumulator.addReport(4, report(1, part));
      accumulator.addChunk(4, leaf(0), 0, Float32Array.of(1, 1, 1));
      expect(accumulator.addChunk(4, leaf(1), 0, Float32Array.of(0, gradient, 0))).toMatchObject({
        kind: 'nonFinite',
        step: 4,
        shards,
      });
      expect(accumulator.digest(4)).toBe(before);
      expect(accumulator.addChunk(4, leaf(1), 0, Float32Array.of(0, 0, 0))).toBeUndefined();
    },
  );

  it('because finite gradients add up to infinity changes nothing either', () => {
    const job = setup();
    const huge = new Float32Array(3).fill(3e38);
    expect(runStep(new Accumulator(job), huge, huge.slice())[3]).toMatchObject({
      kind: 'nonFinite',
      step: 4,
      shards: [],
    });
    expect([...job.params]).toEqual([1, 2, 3]);
  });
});

describe('results of another step', () => {
  it('are dropped: before the first step, of an older step, and after the commit', () => {
    const job = setup();
    const accumulator = new Accumulator(job);
    expect(accumulator.addChunk(4, leaf(0), 0, Float32Array.of(1, 1, 1))).toBeUndefined();
    runStep(accumulator, new Float32Array(3), new Float32Array(3));
    expect(accumulator.addChunk(4, leaf(0), 0, Float32Array.of(9, 9, 9))).toBeUndefined();
    accumulator.begin({ ...update, step: 5 });
    expect(accumulator.addChunk(4, { first: 0, count: 2 }, 0, Float32Array.of(9, 9, 9))).toBeUndefined();
    expect(accumulator.addReport(4, report(0))).toBeUndefined();
    expect([...job.params]).toEqual([1, 2, 3]);
  });

  it('are forgotten when a step restarts', () => {
    const job = setup();
    const accumulator = new Accumulator(job);
    accumulator.begin(update);
    accumulator.addChunk(4, leaf(0), 0, Float32Array.of(800, 800, 800));
    accumulator.addReport(4, report(0, { lossSum: 1000 }));
    const results = runStep(accumulator, new Float32Array(3), new Float32Array(3));
    expect(results[3]).toMatchObject({ kind: 'committed', lossSum: 17 });
    expect([...job.params]).toEqual([1, 2, 3]);
  });
});

describe('a snapshot', () => {
  it('holds copies of parameters, slots and running statistics', () => {
    const job = setup({ optimizer: heavySgd });
    const accumulator = new Accumulator(job);
    runStep(accumulator, Float32Array.of(8, 0, 0), new Float32Array(3));
    const snapshot = accumulator.snapshot(5);
    expect(snapshot).toEqual({
      step: 5,
      params: Float32Array.of(0.5, 2, 3),
      slots: [{ name: 'momentum', values: Float32Array.of(1, 0, 0) }],
      state: Float32Array.of(1, 2),
    });
    expect(accumulator.digest(5)).toBe(stateDigest(snapshot));
    runStep(accumulator, Float32Array.of(8, 8, 8), new Float32Array(3));
    expect([...snapshot.params]).toEqual([0.5, 2, 3]);
    expect([...snapshot.slots[0]!.values]).toEqual([1, 0, 0]);
    expect([...snapshot.state]).toEqual([1, 2]);
  });
});
