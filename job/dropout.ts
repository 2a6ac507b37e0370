import { generatorFor } from './random.js';

/** Which draw a mask is. Who computes the shard is no part of it. */
export interface MaskKey {
  /** The job's seed. */
  readonly seed: number;
  readonly step: number;
  readonly shard: number;
  /** Name of the layer's call, as the program gives it. */
  readonly layer: string;
}

/**
 * Factors of a dropout layer for one shard's samples of one step, `[size]`: each 0 with probability `rate`, else
 * 1 / (1 − rate), so that the expected sum stays the same (Srivastava et al. 2014, "inverted" as in all frameworks).
 * @param mask - `rate` is at least 0 and below 1.
 */
export function dropoutMask(
  key: MaskKey,
  { size, rate }: { readonly size: number; readonly rate: number },
): Float32Array {
  const generator = generatorFor('dropout', key.seed, key.step, key.shard, key.layer);
  const dropped = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(size);
  for (let i = 0; i < size; i++) if (generator.next() >>> 0 >= dropped) mask[i] = kept;
  return mask;
}
