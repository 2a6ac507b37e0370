import { describe, expect, it } from 'vitest';
import type { EvaluateProgram, ProgramInput, TrainProgram, TrainResult } from '../../engine/engine.js';
import { fingerprint, probeInput, type Programs } from '../../worker/fingerprint.js';

const shapes = {
  parameterCount: 5,
  stateCount: 2,
  dataset: { imageShape: [2, 2, 3], classes: ['a', 'b', 'c'] },
} as unknown as Parameters<typeof fingerprint>[1];

/** Programs whose outputs are a simple function of all inputs; `change` is another machine's deviation. */
function programs(change: (result: TrainResult) => TrainResult = (result) => result, rowBias = 0): Programs {
  const total = ({ params, images, labels }: ProgramInput) =>
    [...params, ...images, ...labels].reduce((sum, value, i) => sum + value * (i + 1), 0);
  const train = (batch: number): TrainProgram => ({
    mode: 'train',
    batch,
    masks: [],
    run: (input) => {
      const gradient = input.params.map((value) => value + total(input));
      const statistics = Float32Array.of(0.5, 2);
      return Promise.resolve(change({ gradient, statistics, lossSum: total(input), correct: 1 }));
    },
    dispose: () => Promise.resolve(),
  });
  const evaluate = (batch: number): EvaluateProgram => ({
    mode: 'evaluate',
    batch,
    run: (input) => Promise.resolve({ logProbabilities: Float32Array.of(total(input), input.state[0]! + rowBias) }),
    dispose: () => Promise.resolve(),
  });
  return { train: [train(3), train(1)], evaluate: [evaluate(2)] };
}

describe('a fingerprint', () => {
  it('is the same for the same programs, in any order', async () => {
    const { train, evaluate } = programs();
    const one = await fingerprint({ train, evaluate }, shapes);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(await fingerprint({ train: [...train].reverse(), evaluate }, shapes)).toBe(one);
  });

  const bits = (value: number) =>
    new Float32Array(Uint32Array.of(new Uint32Array(Float32Array.of(value).buffer)[0]! ^ 1).buffer)[0]!;
  it.each<[string, Programs]>([
    [
      'the last bit of one gradient',
      programs((r) => ({ ...r, gradient: r.gradient.map((g, i) => (i === 4 ? bits(g) : g)) })),
    ],
    [
      'the last bit of one statistic',
      programs((r) => ({ ...r, statistics: r.statistics.map((s, i) => (i === 1 ? bits(s) : s)) })),
    ],
    ['a loss', programs((r) => ({ ...r, lossSum: bits(r.lossSum) }))],
    ['a count', programs((r) => ({ ...r, correct: 2 }))],
    ['an evaluation row', programs(undefined, 0.25)],
    ['a program less', { ...programs(), evaluate: [] }],
  ])('differs with %s', async (_, other) => {
    expect(await fingerprint(other, shapes)).not.toBe(await fingerprint(programs(), shapes));
  });
});

describe('the probe input', () => {
  const input = probeInput(64, { ...shapes, parameterCount: 1000, stateCount: 100 });

  it('is the same for everybody', () => {
    const { params, images } = probeInput(2, shapes);
    const steps = [-4415041, -671518, -5218548, 4058402, 3640821];
    expect([...params]).toEqual(steps.map((step) => step / 2 ** 26));
    expect([...images.subarray(0, 6)]).toEqual([120, 134, 178, 180, 27, 145]);
  });

  it('is small parameters around zero, positive statistics, noise, and labels of every class', () => {
    const { params, state, images, labels } = input;
    expect(params.every((value) => value >= -0.125 && value < 0.125)).toBe(true);
    expect(Math.abs(params.reduce((a, b) => a + b) / params.length)).toBeLessThan(0.01);
    expect(state.every((value) => value >= 0.5 && value < 1.5)).toBe(true);
    expect(new Set(images).size).toBeGreaterThan(200);
    expect(new Set(labels)).toEqual(new Set([0, 1, 2]));
  });
});
