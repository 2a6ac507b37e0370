import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Accumulator,
  type AccumulatorSetup,
  type StepOutcome,
} from '../../../../coordinator/stepping/reduction/accumulator.js';
import type { Arithmetic, ArithmeticEvents } from '../../../../coordinator/stepping/reduction/arithmetic.js';
import { createArithmetic } from '../../../../coordinator/stepping/reduction/create.js';
import { InlineArithmetic } from '../../../../coordinator/stepping/reduction/inline.js';
import type * as Thread from '../../../../coordinator/stepping/reduction/thread.js';
import { bytesOf, CHUNK_VALUES, chunkBytes, chunkCount } from '../../../../proto/chunks.js';
import { within } from '../../../proto/wire.js';
import { built } from '../../built.js';

const { ArithmeticThread } = await built<typeof Thread>('coordinator/stepping/reduction/thread.js');

const values = 2 * CHUNK_VALUES + 9;
const leaf = (first: number) => ({ first, count: 1 });
const reportOf = (shard: number) => ({
  shard,
  samples: 4,
  lossSum: 1 + shard,
  correct: shard,
  statistics: bytesOf(Float32Array.of(0.25 + shard)),
  computeMs: 1,
});

function setup(): AccumulatorSetup {
  const params = new Float32Array(new SharedArrayBuffer(values * 4));
  for (let i = 0; i < values; i++) params[i] = 1 / (i + 1);
  return {
    optimizer: { type: 'adam', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    shards: 2,
    params,
    state: new Float32Array(new SharedArrayBuffer(4)),
    momentum: Float32Array.of(0.9),
  };
}

const gradient = (step: number, shard: number) =>
  Float32Array.from({ length: values }, (_, i) => Math.fround(((i % 101) - 50) / (step + shard + 3)));

type Form = new (setup: AccumulatorSetup, events: ArithmeticEvents) => Arithmetic;

/** An arithmetic, and a way to wait for the outcome of each step. */
function start(Form: Form, job: AccumulatorSetup) {
  let wake: ((outcome: StepOutcome) => void) | undefined;
  const failed: Error[] = [];
  const thread = new Form(job, { onStep: (outcome) => wake?.(outcome), onError: (error) => failed.push(error) });
  onTestFinished(() => thread.close());
  return {
    thread,
    failed,
    outcome: () => within(new Promise<StepOutcome>((resolve) => (wake = resolve)), 'the outcome of a step'),
  };
}

function feed(thread: Arithmetic, step: number, order: readonly number[]): void {
  for (const shard of order) {
    const vector = gradient(step, shard);
    thread.addReport(step, reportOf(shard));
    for (let chunk = chunkCount(values) - 1; chunk >= 0; chunk--) {
      const data = Uint8Array.from(chunkBytes(vector, chunk));
      thread.addChunk(step, leaf(shard), chunk, data);
      data.fill(255);
    }
  }
}

describe.each<[string, Form]>([
  ['in a thread of its own', ArithmeticThread],
  ['in the thread that calls it', InlineArithmetic],
])('arithmetic %s', (_, Form) => {
  it('gives the bits of the accumulator, step after step, and updates the shared parameters', async () => {
    const [job, reference] = [setup(), setup()];
    const { thread, outcome, failed } = start(Form, job);
    const accumulator = new Accumulator(reference);
    for (let step = 0; step < 4; step++) {
      const update = { step, samples: 8, learningRate: 0.01 };
      const done = outcome();
      thread.begin(update);
      feed(thread, step, step % 2 ? [1, 0] : [0, 1]);
      accumulator.begin(update);
      for (const shard of [0, 1]) {
        const vector = gradient(step, shard);
        accumulator.addReport(step, reportOf(shard));
        for (let chunk = 0; chunk < chunkCount(values); chunk++) {
          accumulator.addChunk(
            step,
            leaf(shard),
            chunk,
            vector.slice(chunk * CHUNK_VALUES, (chunk + 1) * CHUNK_VALUES),
          );
        }
      }
      expect(await done).toMatchObject({ kind: 'committed', step, lossSum: 3, correct: 1 });
      // Stale and foreign chunks must not disturb the next step, which uses the same buffers.
      feed(thread, step, [0]);
      feed(thread, step + 7, [1]);
    }
    expect(await within(thread.digest(4), 'the digest')).toBe(accumulator.digest(4));
    expect(Buffer.from(job.params).equals(Buffer.from(reference.params))).toBe(true);
    const snapshot = await within(thread.snapshot(4), 'the snapshot');
    expect(snapshot.slots.map(({ name }) => name)).toEqual(['mean', 'square']);
    expect(Buffer.from(snapshot.params.buffer).equals(Buffer.from(Float32Array.from(job.params).buffer))).toBe(true);
    expect([...snapshot.state]).toEqual([...reference.state]);
    expect(failed).toEqual([]);
  });

  it('answers several requests, each with its own answer', async () => {
    const { thread } = start(Form, setup());
    const [a, snapshot, b] = await within(
      Promise.all([thread.digest(0), thread.snapshot(5), thread.digest(1)]),
      'the answers',
    );
    expect(a).toMatch(/^[0-9a-f]{64}$/);
    expect(b).not.toBe(a);
    expect(snapshot.step).toBe(5);
  });

  it('reports a failed step and continues with the next', async () => {
    const job = setup();
    const { thread, outcome } = start(Form, job);
    const before = await thread.digest(0);
    const failed = outcome();
    thread.begin({ step: 0, samples: 8, learningRate: 0.01 });
    thread.addReport(0, { ...reportOf(0), lossSum: NaN });
    thread.addReport(0, reportOf(1));
    for (let chunk = 0; chunk < chunkCount(values); chunk++) {
      thread.addChunk(0, { first: 0, count: 2 }, chunk, chunkBytes(gradient(0, 0), chunk));
    }
    expect(await failed).toMatchObject({ kind: 'nonFinite', step: 0, shards: [0] });
    expect(await thread.digest(0)).toBe(before);
    const done = outcome();
    thread.begin({ step: 1, samples: 8, learningRate: 0.01 });
    feed(thread, 1, [0, 1]);
    expect(await done).toMatchObject({ kind: 'committed', step: 1 });
  });
});

describe('the arithmetic thread', () => {
  it('reports its own failure, and answers nothing with an answer', async () => {
    const { thread, failed } = start(ArithmeticThread, setup());
    thread.begin({ step: 0, samples: 8, learningRate: 0.01 });
    thread.addChunk(0, { first: 5, count: 5 }, 0, new Uint8Array(4));
    await expect(within(thread.digest(0), 'the failure')).rejects.toThrow('internal: reduction: no node 5+5');
    expect(failed).toHaveLength(1);
    await expect(within(thread.digest(0), 'the failure again')).rejects.toThrow('internal: reduction: no node 5+5');
  });
});

it('runs in the calling thread for models of this size, and in another for large ones', async () => {
  const events = { onStep: () => undefined, onError: () => undefined };
  const small = createArithmetic(setup(), events);
  const large = createArithmetic({ ...setup(), params: new Float32Array(1 << 20) }, events);
  expect(small).toBeInstanceOf(InlineArithmetic);
  expect(large).not.toBeInstanceOf(InlineArithmetic);
  await Promise.all([small.close(), large.close()]);
});
