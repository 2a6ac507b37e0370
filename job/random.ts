import { createHash } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * A generator whose whole stream is a function of `key`; different keys give independent streams.
 *
 * The 128-bit state is the beginning of SHA-256 over the key as JSON, so `(1, 23)`, `(12, 3)` and `('1', 23)` differ.
 */
export function generatorFor(...key: readonly (string | number)[]): RandomGenerator {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
}

/** The numbers 0 to n − 1 in random order, every order equally likely (Fisher-Yates; Knuth, TAOCP 2, 3.4.2 P). */
export function permutation(n: number, generator: RandomGenerator): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const j = uniformInt(generator, 0, i);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
