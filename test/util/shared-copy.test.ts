import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { copyShared } from '../../util/shared-copy.js';

const places = Array.from({ length: 9 }, (_, i) => i);
const lengths = [0, 1, 7, 8, 64, 1001];

describe('copying into shared memory', () => {
  it.each([
    ['shared', () => new SharedArrayBuffer(1100)],
    ['plain', () => new ArrayBuffer(1100)],
  ])('puts every byte in its place and touches no other, whatever the alignment (%s)', (_, create) => {
    for (const from of places) {
      for (const at of places) {
        for (const length of lengths) {
          const source = new Uint8Array(randomBytes(1100)).subarray(from, from + length);
          const target = new Uint8Array(create(), 3).fill(7);
          copyShared(source, target, at);
          const expected = new Uint8Array(1097).fill(7);
          expected.set(source, at);
          expect(Buffer.compare(target, expected), `${length} bytes from ${from} to ${at}`).toBe(0);
        }
      }
    }
  });

  it('copies what is longer than a chunk too, and refuses what does not fit', () => {
    const source = new Uint8Array(randomBytes(600_001)).subarray(1);
    const target = new Uint8Array(new SharedArrayBuffer(600_008));
    copyShared(source, target, 8);
    expect(Buffer.compare(target.slice(8), source)).toBe(0);
    expect(() => copyShared(source.subarray(0, 16), target, 600_000)).toThrow(RangeError);
  });
});
