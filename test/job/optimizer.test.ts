import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createOptimizer } from '../../job/optimizer.js';
import type { OptimizerSpec } from '../../job/spec.js';

interface Golden {
  readonly samples: number;
  readonly params: number[];
  readonly gradientSums: number[][];
  readonly learningRates: number[];
  readonly cases: { readonly spec: OptimizerSpec; readonly paramsAfterStep: number[][] }[];
}

/** Made by golden/make_optimizer_golden.py. */
const golden = JSON.parse(readFileSync(new URL('golden/optimizer.json', import.meta.url), 'utf8')) as Golden;

function gradientSum(step: number): Float32Array {
  return Float32Array.from(golden.gradientSums[step]!);
}

function update(step: number) {
  return { samples: golden.samples, learningRate: golden.learningRates[step]!, step };
}

/** Parameters `[begin, end)` of each call. */
const chunks = [
  [3, 7],
  [0, 1],
  [1, 3],
] as const;

function label(spec: OptimizerSpec): string {
  return Object.entries(spec).join(' ').replaceAll(',', '=');
}

describe.each(golden.cases)('optimizer $spec.type', ({ spec, paramsAfterStep }) => {
  it(`follows PyTorch's float64 updates to f32 precision: ${label(spec)}`, () => {
    const params = Float32Array.from(golden.params);
    const optimizer = createOptimizer(spec, params.length);
    paramsAfterStep.forEach((expected, step) => {
      optimizer.apply(params, gradientSum(step), update(step));
      expected.forEach((value, i) => expect(Math.abs(params[i]! - value)).toBeLessThan(1e-6));
    });
  });

  it(`gives the same bits in chunks of any order as in one call: ${label(spec)}`, () => {
    const [whole, chunked] = [Float32Array.from(golden.params), Float32Array.from(golden.params)];
    const [one, other] = [createOptimizer(spec, whole.length), createOptimizer(spec, whole.length)];
    for (let step = 0; step < golden.gradientSums.length; step++) {
      one.apply(whole, gradientSum(step), update(step));
      for (const [begin, end] of chunks) {
        other.apply(chunked, gradientSum(step).subarray(begin, end), update(step), begin);
      }
    }
    expect(chunked).toEqual(whole);
    expect(other.slots).toEqual(one.slots);
  });

  it(`continues with the same bits when its slots are restored: ${label(spec)}`, () => {
    const undisturbed = Float32Array.from(golden.params);
    const resumed = Float32Array.from(golden.params);
    const [first, before] = [createOptimizer(spec, 7), createOptimizer(spec, 7)];
    for (let step = 0; step < 6; step++) first.apply(undisturbed, gradientSum(step), update(step));
    for (let step = 0; step < 3; step++) before.apply(resumed, gradientSum(step), update(step));
    const after = createOptimizer(spec, 7);
    before.slots.forEach(({ values }, i) => after.slots[i]!.values.set(values));
    for (let step = 3; step < 6; step++) after.apply(resumed, gradientSum(step), update(step));
    expect(resumed).toEqual(undisturbed);
  });
});

describe('optimizer', () => {
  const sgd = { type: 'sgd', learningRate: 1, momentum: 0.5, nesterov: false, weightDecay: 0 } as const;

  it('divides the gradient sum by the samples, and keeps it unchanged', () => {
    const params = Float32Array.of(1, 1);
    const sum = Float32Array.of(8, -4);
    createOptimizer(sgd, 2).apply(params, sum, { samples: 4, learningRate: 0.25, step: 0 });
    expect(params).toEqual(Float32Array.of(0.5, 1.25));
    expect(sum).toEqual(Float32Array.of(8, -4));
  });

  it('keeps no slots for SGD without momentum, one with momentum, two for Adam', () => {
    const names = (spec: OptimizerSpec) =>
      createOptimizer(spec, 3).slots.map(({ name, values }) => [name, values.length]);
    expect(names({ ...sgd, momentum: 0 })).toEqual([]);
    expect(names(sgd)).toEqual([['momentum', 3]]);
    const adam = { learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
    expect(names({ type: 'adam', ...adam })).toEqual([
      ['mean', 3],
      ['square', 3],
    ]);
  });
});
