import { describe, expect, it } from 'vitest';
import { canonical, compareBits, describeValue, nameValue } from '../../../run/verify/compare-values.js';

const words = (...values: number[]) => new Float32Array(Uint32Array.from(values).buffer);

describe('the comparison of results', () => {
  it('finds equal vectors equal', () => {
    expect(compareBits(Float32Array.of(1, -0, Infinity), Float32Array.of(1, -0, Infinity))).toBeUndefined();
    expect(compareBits(new Float32Array(0), new Float32Array(0))).toBeUndefined();
  });

  it('counts differing values and gives the first, and tells +0 from -0', () => {
    expect(compareBits(Float32Array.of(1, 0, 3), Float32Array.of(1, -0, 4))).toEqual({ count: 2, index: 1 });
    expect(compareBits(words(0x3dcccccd), words(0x3dccccce))).toEqual({ count: 1, index: 0 });
  });

  it('counts values that only one vector has', () => {
    expect(compareBits(Float32Array.of(1, 2), Float32Array.of(1, 2, 3))).toEqual({ count: 1, index: 2 });
  });

  it('takes all NaNs as equal once they are canonical, and keeps the original', () => {
    const original = words(0x7fc00001, 0xffc00000, 0x3f800000);
    expect(compareBits(canonical(original), canonical(words(0x7f800001, 0x7fc00000, 0x3f800000)))).toBeUndefined();
    expect([...new Uint32Array(original.buffer)]).toEqual([0x7fc00001, 0xffc00000, 0x3f800000]);
  });
});

describe('a value', () => {
  it.each([
    [0x3dcccccd, '0.100000001 (0x3dcccccd)'],
    [0x80000000, '-0 (0x80000000)'],
    [0x00000001, '1.40129846e-45 (0x00000001)'],
    [0x7fc00000, 'NaN (0x7fc00000)'],
  ])('is described by its decimal and its bits: %i', (word, text) => {
    expect(describeValue(words(0, word), 1)).toBe(text);
  });

  it('is named by its weight', () => {
    const ranges = [
      { name: 'conv1/kernel', offset: 0, size: 8 },
      { name: 'conv1/bias', offset: 8, size: 2 },
    ];
    expect(nameValue(ranges, 7)).toBe('conv1/kernel, value 7');
    expect(nameValue(ranges, 9)).toBe('conv1/bias, value 1');
    expect(nameValue(ranges, 10)).toBe('value 10');
  });
});
