import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generatorFor, permutation } from '../../job/random.js';

describe('generatorFor', () => {
  const first = (...key: (string | number)[]) => generatorFor(...key).next();

  it('gives the same stream for the same key, permanently', () => {
    const generator = generatorFor('order', 1, 0, 0);
    expect([generator.next(), generator.next(), generator.next()]).toEqual([-182781144, 1017741821, 343752113]);
  });

  it('distinguishes keys by their components, not by their text', () => {
    const values = [first(1, 23), first(12, 3), first('1', 23), first(1, 23, 0), first('1,23')];
    expect(new Set(values).size).toBe(values.length);
  });
});

describe('permutation', () => {
  it('gives the same order for the same key, permanently', () => {
    expect([...permutation(10, generatorFor('order', 1, 0, 0))]).toEqual([5, 0, 6, 9, 3, 8, 2, 1, 7, 4]);
  });

  it('contains every number once', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), (n, seed) => {
        const sorted = [...permutation(n, generatorFor(seed))].sort((a, b) => a - b);
        expect(sorted).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('makes all 24 orders of four equally often, within five standard deviations', () => {
    const counts = new Map<string, number>();
    const generator = generatorFor('unbiased');
    for (let i = 0; i < 24_000; i++) {
      const key = permutation(4, generator).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
  });
});
