import { describe, expect, it } from 'vitest';
import { cosinePi, integerPower } from '../../job/arithmetic.js';

describe('integerPower', () => {
  it('is exact where the result is', () => {
    expect(integerPower(0.1, 0)).toBe(1);
    expect(integerPower(0.1, 1)).toBe(0.1);
    expect(integerPower(3, 13)).toBe(1594323);
    expect(integerPower(0, 5)).toBe(0);
  });

  it('agrees with Math.pow to rounding for the decay of 100,000 steps', () => {
    for (const exponent of [2, 7, 205, 20_500, 100_000]) {
      expect(integerPower(0.999, exponent) / Math.pow(0.999, exponent)).toBeCloseTo(1, 10);
    }
  });
});

describe('cosinePi', () => {
  it('agrees with Math.cos to 1e-12 on a fine grid of [0, 1]', () => {
    for (let i = 0; i <= 10_000; i++) {
      expect(Math.abs(cosinePi(i / 10_000) - Math.cos((Math.PI * i) / 10_000))).toBeLessThan(1e-12);
    }
  });

  it('is exact at both ends', () => {
    expect(cosinePi(0)).toBe(1);
    expect(cosinePi(1)).toBe(-1);
  });
});
