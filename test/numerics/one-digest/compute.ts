import { createHash } from 'node:crypto';
import { drawMasks } from '../../../job/dropout.js';
import type { Prepared } from './prepare.js';
import { type Masks, resultsOf, steps, type Target } from './results.js';

/** SHA-256 of `resultsOf`. */
export function digestOf(target: Target, prepared: Prepared): string {
  const hash = createHash('sha256');
  for (const vector of resultsOf(target, prepared, masksOf(prepared))) hash.update(vector);
  return hash.digest('hex');
}

/** Dropout masks of all steps. */
export function masksOf({ train }: Prepared): Masks {
  return Array.from({ length: steps }, (_, step) => drawMasks(train.compiled.masks, { seed: 1, step, shard: 2 }));
}
