import { createHash } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * Random generator whose stream is a function of `key`; different keys give independent streams.
 *
 * The 128-bit state is a prefix of the SHA-256 of the key as JSON, so `(1, 23)`, `(12, 3)` and `('1', 23)` differ.
 */
export function generatorFor(...key: readonly (string | number)[]): RandomGenerator {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
}

/** A random permutation of 0 to n − 1, uniformly distributed (Fisher-Yates; Knuth, TAOCP 2, 3.4.2 P). */
export function permutation(n: number, generator: RandomGenerator): Uint32Array {
  const values = new Uint32Array(n);
  for (let i = 0; i < n; i++) values[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const j = uniformInt(generator, 0, i);
    const swapped = values[i]!;
    values[i] = values[j]!;
    values[j] = swapped;
  }
  return values;
}
