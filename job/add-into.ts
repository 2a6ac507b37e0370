import { InvariantError } from '../util/errors.js';

/** left += right in f32. @returns `left`. */
export function addInto(left: Float32Array, right: Float32Array): Float32Array {
  if (left.length !== right.length) {
    throw new InvariantError(`reduction: expected equal lengths, got ${left.length} and ${right.length}`);
  }
  for (let i = 0; i < left.length; i++) left[i] = left[i]! + right[i]!;
  return left;
}
