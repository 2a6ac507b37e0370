import { describe, expect, it } from 'vitest';
import { Accumulator } from '../../../coordinator/stepping/reduction/accumulator.js';
import { bytesOf } from '../../../proto/chunks.js';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  fillVector,
  type StateLayout,
  vectorLength,
  viewState,
} from '../../../run/checkpoint/checkpoint-file.js';
import { decodeSafetensors } from '../../../run/safetensors.js';

const layout: StateLayout = {
  model: {
    parameters: [
      { name: 'conv/kernel', shape: [2, 2], offset: 0, size: 4 },
      { name: 'conv/bias', shape: [1], offset: 4, size: 1 },
    ],
    parameterCount: 5,
    state: [{ name: 'norm/moving_mean', shape: [2], offset: 0, size: 2, momentum: 0.9 }],
    stateCount: 2,
  },
  slots: ['mean', 'square'],
};
const state = {
  step: 7,
  params: Float32Array.of(1, 2, 3, 4, 5),
  slots: [
    { name: 'mean', values: Float32Array.of(6, 7, 8, 9, 10) },
    { name: 'square', values: Float32Array.of(11, 12, 13, 14, 15) },
  ],
  state: Float32Array.of(16, 17),
};
const head = { job: 'ab'.repeat(32), step: 7, chain: 'cd'.repeat(32) };

function fileOf(change: Partial<typeof head> = {}): Buffer {
  const vector = new Float32Array(new SharedArrayBuffer(vectorLength(layout) * 4));
  fillVector(vector, state);
  return Buffer.concat(encodeCheckpoint(layout, { ...head, ...change }, vector));
}

describe('a checkpoint', () => {
  it('returns the state and the chain', () => {
    expect(decodeCheckpoint(layout, head, fileOf())).toEqual({ state, chain: head.chain });
  });

  it('is a safetensors file of named tensors', () => {
    const { tensors, metadata } = decodeSafetensors(fileOf());
    expect(tensors.map(({ name, shape, values }) => [name, shape, values[0]])).toEqual([
      ['conv/kernel', [2, 2], 1],
      ['conv/bias', [1], 5],
      ['optimizer.mean/conv/kernel', [2, 2], 6],
      ['optimizer.mean/conv/bias', [1], 10],
      ['optimizer.square/conv/kernel', [2, 2], 11],
      ['optimizer.square/conv/bias', [1], 15],
      ['norm/moving_mean', [2], 16],
    ]);
    expect(metadata).toMatchObject({ job: head.job, step: '7', chain: head.chain });
  });

  it('is rejected with any byte changed, and if truncated anywhere', () => {
    const whole = fileOf();
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1;
      expect(() => decodeCheckpoint(layout, head, changed), `byte ${at}`).toThrow();
      expect(() => decodeCheckpoint(layout, head, whole.subarray(0, at)), `${at} bytes`).toThrow();
    }
  });

  it.each([
    ['another job', { job: 'ef'.repeat(32) }, /^checkpoint: expected job abab.*, got job efef/],
    ['another step', { step: 8 }, /^checkpoint: expected step 7, got step 8$/],
  ])('of %s is refused', (_, change, message) => {
    expect(() => decodeCheckpoint(layout, head, fileOf(change))).toThrow(message);
  });

  it('of another model is refused with the tensor that differs', () => {
    const { model } = layout;
    const parameters = [{ ...model.parameters[0]!, name: 'dense/kernel' }, model.parameters[1]!];
    expect(() => decodeCheckpoint({ ...layout, model: { ...model, parameters } }, head, fileOf())).toThrow(
      'expected 4 values of dense/kernel, got 4 of conv/kernel',
    );
  });
});

describe("the accumulator's copy", () => {
  it("has a checkpoint's layout, and an accumulator that starts from it continues with the same bits", () => {
    const optimizer = {
      type: 'adam',
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 0.99,
      epsilon: 1e-8,
      weightDecay: 0,
    } as const;
    const begin = { optimizer, shards: 1, momentum: Float32Array.of(0.5, 0.5) };
    const step = (accumulator: Accumulator, index: number) => {
      const statistics = bytesOf(Float32Array.of(index, -index));
      accumulator.begin({ step: index, samples: 2, learningRate: 0.1 });
      accumulator.addReport(index, { shard: 0, samples: 2, lossSum: 1, correct: 1, statistics, computeMs: 1 });
      accumulator.addChunk(index, { first: 0, count: 1 }, 0, Float32Array.of(1, -2, 3, index, 0.1));
    };
    const first = new Accumulator({ ...begin, params: state.params.slice(), state: state.state.slice() });
    step(first, 0);
    step(first, 1);
    const vector = new Float32Array(vectorLength(layout));
    first.copyState(vector);
    const copy = viewState(layout, 2, vector);
    expect(copy).toEqual(first.snapshot(2));

    const second = new Accumulator({
      ...begin,
      params: copy.params.slice(),
      state: copy.state.slice(),
      slots: copy.slots,
    });
    expect(second.digest(2)).toBe(first.digest(2));
    step(first, 2);
    step(second, 2);
    expect(second.digest(3)).toBe(first.digest(3));
  });
});
