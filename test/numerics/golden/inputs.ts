import type { ModelLayout, ProgramInput, WeightInfo } from '../../../engine/engine.js';

/**
 * Inputs of the golden tests, made from integers so that `make_golden.py` makes the same ones to the last bit; its
 * functions have the same names.
 */
export const batch = 9;
export const imageShape = [32, 32, 3] as const;
export const classes = 10;
export const normalise = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.243, 0.261] };
export type ImageKind = 'textured' | 'flat';

/** Integer hash of 32 bits (lowbias32, https://nullprogram.com/blog/2018/07/31/). */
function mix(x: number): number {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

export function hashes(count: number, stream: number): number[] {
  const first = mix(stream);
  return Array.from({ length: count }, (_, i) => mix(first + i));
}

/** f32 numbers in centre ± radius. */
function uniform(count: number, stream: number, centre: number, radius: number): Float32Array {
  return Float32Array.from(hashes(count, stream), (hash) => centre + radius * (hash / 2 ** 31 - 1));
}

/** u8 `[B, H, W, C]`. flat: four plain squares each, so that pooling windows tie; textured: squares and noise. */
function images(kind: ImageKind, count: number): Uint8Array {
  const [height, width, channels] = imageShape;
  return Uint8Array.from({ length: count * height * width * channels }, (_, index) => {
    const c = index % channels;
    const x = Math.floor(index / channels) % width;
    const y = Math.floor(index / (channels * width)) % height;
    const n = Math.floor(index / (channels * width * height));
    const side = kind === 'flat' ? 16 : 4;
    const square = ((n * 8 + Math.floor(y / side)) * 8 + Math.floor(x / side)) * channels + c;
    const noise = kind === 'textured' ? mix(index + 50000) % 48 : 0;
    return Math.min(255, (mix(square + 1000) % 256) + noise);
  });
}

/** Centre and radius of a weight's values, by its name and shape. */
function range({ name, shape }: WeightInfo): [number, number] {
  if (name.endsWith('kernel')) return [0, (3 / shape.slice(0, -1).reduce((a, b) => a * b, 1)) ** 0.5];
  if (name.endsWith('gamma')) return [0.5, 0.75];
  if (name.endsWith('beta')) return [0, 0.3];
  if (name.endsWith('moving_mean')) return [0, 0.5];
  return name.endsWith('moving_variance') ? [1, 0.75] : [0, 0.1];
}

function vector(weights: readonly WeightInfo[], length: number, firstStream: number): Float32Array {
  const values = new Float32Array(length);
  weights.forEach((weight, i) => values.set(uniform(weight.size, firstStream + i, ...range(weight)), weight.offset));
  return values;
}

/** @param seed - of the parameters; golden values are stored with theirs. */
export function goldenInput(layout: ModelLayout, kind: ImageKind, seed = 0, count = batch): ProgramInput {
  return {
    params: vector(layout.parameters, layout.parameterCount, 1 + 1000 * seed),
    state: vector(layout.state, layout.stateCount, 101),
    images: images(kind, count),
    labels: Int32Array.from(hashes(count, 200), (hash) => hash % classes),
  };
}
