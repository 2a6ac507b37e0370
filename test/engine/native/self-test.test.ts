import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { firstWorking, loadNative } from '../../../engine/native/load/load.js';
import type { NativeRuntime, VectorKernels } from '../../../engine/native/load/native.js';
import { runVectorTest, vectorTestDigest } from '../../../engine/native/load/self-test-vectors.js';
import { plainVectors } from '../../../job/vectors.js';

/** The definition of the arithmetic, called as the kernels are. */
const plainKernels = {
  ...plainVectors,
  sgd: (params, gradient, perSample, rate, decay) => plainVectors.sgd({ params, gradient }, { perSample, rate, decay }),
  momentum: (params, velocity, gradient, perSample, decay, momentum, velocityRate, gradientRate) =>
    plainVectors.momentum({ params, velocity, gradient }, { perSample, decay, momentum, velocityRate, gradientRate }),
  adam: (...[params, means, squares, gradient, ...numbers]: AdamArguments) => {
    const [perSample, l2, beta1, beta2, stepSize, squareScale, epsilon, shrink] = numbers;
    const constants = { perSample, l2, beta1, beta2, stepSize, squareScale, epsilon, shrink };
    plainVectors.adam({ params, means, squares, gradient }, constants);
  },
} as PlainKernels as VectorKernels;

type Four<T> = [T, T, T, T];
type AdamArguments = [...Four<Float32Array>, ...Four<number>, ...Four<number>];
interface PlainKernels extends Pick<VectorKernels, 'add' | 'allFinite'> {
  sgd(...call: [Float32Array, Float32Array, number, number, number]): void;
  momentum(...call: [Float32Array, Float32Array, Float32Array, number, number, number, number, number]): void;
  adam(...call: AdamArguments): void;
}

/** Kernels that pass, with vector operations of which some are replaced. */
const runtimeWith = (replaced: Partial<VectorKernels>): NativeRuntime => ({
  ...loadNative('wasm'),
  vectors: { ...plainKernels, ...replaced },
});

/** Changes the last bit of the last element of a call's first vector. */
function oneBitOff(name: 'add' | 'sgd' | 'momentum' | 'adam'): Partial<VectorKernels> {
  const call = plainKernels[name] as (...args: readonly unknown[]) => void;
  const wrong = (first: Float32Array, ...rest: readonly unknown[]) => {
    call(first, ...rest);
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
