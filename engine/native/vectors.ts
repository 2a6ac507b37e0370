import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Functions of the addon (kernels/vectors-addon.c): vectors first, then numbers, used in place. */
interface VectorKernels {
  add(left: Float32Array, right: Float32Array): void;
  allFinite(values: Float32Array): boolean;
  sgd(...vectorsAndNumbers: readonly (Float32Array | number)[]): void;
  momentum(...vectorsAndNumbers: readonly (Float32Array | number)[]): void;
  adam(...vectorsAndNumbers: readonly (Float32Array | number)[]): void;
}

/** The exports of the addon that this module uses. */
export interface VectorsAddon {
  /** @throws Error UNSUPPORTED_CPU if the CPU lacks the instruction set; without a name, the fastest one is used. */
  createVectors(isa?: string): VectorKernels;
}

/** `VectorOps` (job/vectors.ts) in C, with the same bits. This room doesn't know that one, so it is spelled out. */
export type NativeVectors = ReturnType<typeof vectorsOf>;

/** Vector arithmetic by an addon. */
export function vectorsOf(addon: VectorsAddon, isa?: string) {
  const kernels = addon.createVectors(isa);
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

/** The addon for this platform; undefined if there is none. @throws Error if it doesn't load. */
export function vectorsAddon(): VectorsAddon | undefined {
  const file = fileURLToPath(new URL(`./prebuilt/${process.platform}-${process.arch}.node`, import.meta.url));
  if (!existsSync(file)) return undefined;
  return createRequire(import.meta.url)(file) as VectorsAddon;
}

/** Vector arithmetic of this platform's addon; undefined where there is none or it can't be used. */
export function nativeVectors(): NativeVectors | undefined {
  try {
    const addon = vectorsAddon();
    return addon && vectorsOf(addon);
  } catch {
    // The engine reports the reason; the bits are the same without the addon.
    return undefined;
  }
}
