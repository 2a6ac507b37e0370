import type { ValueRange } from './page-data.js';

/** Difference of two vectors of the same length. */
export interface Difference {
  /** Number of values that differ. */
  readonly count: number;
  /** First index that differs. */
  readonly index: number;
}

const anyNaN = 0x7fc00000;

/** The vector with one bit pattern for all NaNs, whose payloads aren't part of the arithmetic. */
export function canonical(values: Float32Array): Float32Array {
  const copy = values.slice();
  const words = new Uint32Array(copy.buffer);
  copy.forEach((value, i) => {
    if (Number.isNaN(value)) words[i] = anyNaN;
  });
  return copy;
}

/** Compares canonical vectors bit by bit, so +0 and −0 differ. @returns undefined if they are equal. */
export function compareBits(expected: Float32Array, computed: Float32Array): Difference | undefined {
  const [a, b] = [wordsOf(expected), wordsOf(computed)];
  let [count, index] = [0, -1];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] === b[i]) continue;
    if (count === 0) index = i;
    count++;
  }
  return count === 0 ? undefined : { count, index };
}

/** Value and bits, e.g. `0.1 (0x3dcccccd)`. */
export function describeValue(values: Float32Array, index: number): string {
  const bits = wordsOf(values)[index]!.toString(16).padStart(8, '0');
  const value = values[index]!;
  return `${Object.is(value, -0) ? '-0' : value.toPrecision(9)} (0x${bits})`;
}

/** Name of a value in a flat vector, e.g. `conv1/kernel, value 7`. */
export function nameValue(ranges: readonly ValueRange[], index: number): string {
  const range = ranges.find(({ offset, size }) => index >= offset && index < offset + size);
  return range ? `${range.name}, value ${index - range.offset}` : `value ${index}`;
}

function wordsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}
