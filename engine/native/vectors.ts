import type { InstructionSet } from '../engine.js';
import { loadNative } from './load/load.js';
import type { VectorKernels } from './load/native.js';

/** `VectorOps` (job/vectors.ts) in C, with the same bits. This room doesn't know that one, so it is spelled out. */
export type NativeVectors = ReturnType<typeof vectorsOf>;

/** Vector arithmetic by an addon's functions. */
export function vectorsOf(kernels: VectorKernels) {
  return {
    add: (left: Float32Array, right: Float32Array) => kernels.add(left, right),
    allFinite: (values: Float32Array) => kernels.allFinite(values),
    sgd: ({ params, gradient }: Vectors<'params' | 'gradient'>, c: Numbers<'perSample' | 'rate' | 'decay'>) =>
      kernels.sgd(params, gradient, c.perSample, c.rate, c.decay),
    momentum: (
      { params, velocity, gradient }: Vectors<'params' | 'velocity' | 'gradient'>,
      c: Numbers<'perSample' | 'decay' | 'momentum' | 'velocityRate' | 'gradientRate'>,
    ) =>
      kernels.momentum(
        ...[params, velocity, gradient],
        ...[c.perSample, c.decay, c.momentum, c.velocityRate, c.gradientRate],
      ),
    adam: (
      { params, means, squares, gradient }: Vectors<'params' | 'means' | 'squares' | 'gradient'>,
      c: Numbers<'perSample' | 'l2' | 'beta1' | 'beta2' | 'stepSize' | 'squareScale' | 'epsilon' | 'shrink'>,
    ) =>
      kernels.adam(
        ...[params, means, squares, gradient],
        ...[c.perSample, c.l2, c.beta1, c.beta2, c.stepSize, c.squareScale, c.epsilon, c.shrink],
      ),
  };
}

type Vectors<Name extends string> = Readonly<Record<Name, Float32Array>>;
type Numbers<Name extends string> = Readonly<Record<Name, number>>;

/**
 * Vector arithmetic of the kernels that this process uses, after their self-test; undefined in WebAssembly, and where no
 * kernels work: the bits are the same without them, and the engine reports the reason.
 */
export function nativeVectors(isa?: InstructionSet): NativeVectors | undefined {
  try {
    const { vectors } = loadNative(isa);
    return vectors && vectorsOf(vectors);
  } catch {
    return undefined;
  }
}
