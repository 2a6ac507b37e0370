import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { firstWorking, loadNative } from '../../../engine/native/load/load.js';
import type { NativeRuntime, VectorKernels } from '../../../engine/native/load/native.js';
import { runVectorTest, vectorTestDigest } from '../../../engine/native/load/self-test-vectors.js';
import { plainVectors } from '../../../job/vectors.js';

type Call = readonly (Float32Array | number)[];
const vectorsIn = (call: Call) => call.filter((each) => typeof each !== 'number') as unknown as Many<Float32Array>;
const numbersIn = (call: Call) => call.filter((each) => typeof each === 'number') as unknown as Many<number>;
type Many<T> = readonly [T, T, T, T, T, T, T, T];

/** The definition of the arithmetic, called as the kernels are. */
const plainKernels: VectorKernels = {
  add: (left, right) => plainVectors.add(left, right),
  allFinite: (values) => plainVectors.allFinite(values),
  sgd: (...call) => {
    const [params, gradient] = vectorsIn(call);
    const [perSample, rate, decay] = numbersIn(call);
    plainVectors.sgd({ params, gradient }, { perSample, rate, decay });
  },
  momentum: (...call) => {
    const [params, velocity, gradient] = vectorsIn(call);
    const [perSample, decay, momentum, velocityRate, gradientRate] = numbersIn(call);
    const constants = { perSample, decay, momentum, velocityRate, gradientRate };
    plainVectors.momentum({ params, velocity, gradient }, constants);
  },
  adam: (...call) => {
    const [params, means, squares, gradient] = vectorsIn(call);
    const [perSample, l2, beta1, beta2, stepSize, squareScale, epsilon, shrink] = numbersIn(call);
    const constants = { perSample, l2, beta1, beta2, stepSize, squareScale, epsilon, shrink };
    plainVectors.adam({ params, means, squares, gradient }, constants);
  },
};

/** Kernels that pass, with vector operations of which some are replaced. */
const runtimeWith = (replaced: Partial<VectorKernels>): NativeRuntime => ({
  ...loadNative('wasm'),
  vectors: { ...plainKernels, ...replaced },
});

/** Changes the last bit of the last element of a call's first vector. */
function oneBitOff(name: 'add' | 'sgd' | 'momentum' | 'adam'): Partial<VectorKernels> {
  const wrong = (first: Float32Array, ...rest: readonly Float32Array[]) => {
    (plainKernels[name] as (...call: Call) => void)(first, ...rest);
    new Uint32Array(first.buffer)[first.length - 1]! ^= 1;
  };
  return { [name]: wrong };
}

const lies: Readonly<Record<string, Partial<VectorKernels>>> = {
  add: oneBitOff('add'),
  sgd: oneBitOff('sgd'),
  momentum: oneBitOff('momentum'),
  adam: oneBitOff('adam'),
  'allFinite, which misses the first value': { allFinite: (values) => plainVectors.allFinite(values.subarray(1)) },
  'allFinite, which finds too much': { allFinite: () => false },
};

describe('the self-test of vectors', () => {
  it('has the recorded digest with the definition of the arithmetic', () => {
    const results = runVectorTest(plainKernels);
    expect(createHash('sha256').update(results).digest('hex')).toBe(vectorTestDigest);
  });

  it.each(Object.entries(lies))('passes over a runtime with another %s', (_, lie) => {
    const chosen = firstWorking([() => runtimeWith(lie), (reason) => ({ ...runtimeWith({}), reason })], 'one of two');
    expect(chosen.reason).toMatch(
      new RegExp(`^lockstep\\.wasm \\(wasm\\): self-test of vectors expected ${vectorTestDigest.slice(0, 12)}, got `),
    );
  });

  it('refuses the only runtime, with the reason', () => {
    expect(() => firstWorking([() => runtimeWith(oneBitOff('add'))], 'avx2')).toThrow(
      /^load kernels: expected avx2 to work on this computer, got .* self-test of vectors/,
    );
  });
});
