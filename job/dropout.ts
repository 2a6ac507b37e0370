import type { MaskInfo } from '../engine/engine.js';
import { generatorFor } from './random.js';

/** Key of a draw. It doesn't include the worker. */
export interface DrawKey {
  /** The job's seed. */
  readonly seed: number;
  readonly step: number;
  readonly shard: number;
}

/**
 * Dropout masks for one shard in one step, in the order of `masks`. Each draw is keyed by the mask's name, so it doesn't
 * depend on other layers.
 */
export function drawMasks(masks: readonly MaskInfo[], { seed, step, shard }: DrawKey): Float32Array[] {
  return masks.map(({ name, size, rate }) => {
    const generator = generatorFor('dropout', seed, step, shard, name);
    return drawMask(() => generator.next() >>> 0, size, rate);
  });
}

/**
 * `[size]` factors, each 0 with probability `rate`, else 1 / (1 − rate), which preserves the expected sum (Srivastava et
 * al. 2014; scaled in training rather than in evaluation, as in all frameworks).
 * @param next - random integers from 0 to 2³² − 1.
 */
function drawMask(next: () => number, size: number, rate: number): Float32Array {
  const dropped = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(size);
  for (let i = 0; i < size; i++) if (next() >= dropped) mask[i] = kept;
  return mask;
}
