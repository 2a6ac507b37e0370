import type { MaskInfo } from '../engine/engine.js';
import { generatorFor } from './random.js';

/** Whose dropout is drawn. Which worker computes the shard is no part of it. */
export interface DrawKey {
  /** The job's seed. */
  readonly seed: number;
  readonly step: number;
  readonly shard: number;
}

/**
 * The dropout masks of one shard's samples in one step, one for each that the program takes. Every layer's draw is keyed
 * by its name, so that it does not depend on the layers before it.
 */
export function drawMasks(masks: readonly MaskInfo[], { seed, step, shard }: DrawKey): Float32Array[] {
  return masks.map(({ name, size, rate }) => {
    const generator = generatorFor('dropout', seed, step, shard, name);
    return drawMask(() => generator.next() >>> 0, size, rate);
  });
}

/**
 * `[size]` factors, each 0 with probability `rate`, else 1 / (1 − rate), so that the expected sum stays the same
 * (Srivastava et al. 2014; scaled in training rather than in evaluation, as in all frameworks).
 * @param next - random whole numbers from 0 to 2³² − 1.
 */
function drawMask(next: () => number, size: number, rate: number): Float32Array {
  const dropped = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(size);
  for (let i = 0; i < size; i++) if (next() >= dropped) mask[i] = kept;
  return mask;
}
