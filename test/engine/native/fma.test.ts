import { describe, expect, it } from 'vitest';
import { fma } from '../../../engine/native/reference/fma.js';

const words = new Uint32Array(1);
const float = new Float32Array(words.buffer);

function floatOf(bits: number): number {
  words[0] = bits;
  return float[0]!;
}

/** A finite f32 number as an integer multiple of 2^−149. */
function scaled(x: number): bigint {
  const [high, low] = [Math.floor(Math.abs(x) * 2 ** 75), Math.abs(x) * 2 ** 75];
  const rest = BigInt((low - high) * 2 ** 74);
  return (x < 0 ? -1n : 1n) * ((BigInt(high) << 74n) + rest);
}

/** The nearest f32 number to v · 2^−298, half to even; v is not 0. */
function nearest(v: bigint): number {
  const size = v < 0n ? -v : v;
  const unit = BigInt(Math.max(size.toString(2).length - 24, 149));
  const [quotient, rest, half] = [size >> unit, size & ((1n << unit) - 1n), 1n << (unit - 1n)];
  const isUp = rest > half || (rest === half && (quotient & 1n) === 1n);
  const rounded = Number(quotient + (isUp ? 1n : 0n)) * 2 ** (Number(unit) - 298 + 149) * 2 ** -149;
  return Math.sign(Number(v >> 298n) || (v < 0n ? -1 : 1)) * (rounded > 3.4028234663852886e38 ? Infinity : rounded);
}

let state = 17;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state;
}

/** Random bits; the exponent is near `exponent` so that the terms of a sum overlap. */
function near(exponent: number): number {
  const field = Math.max(0, Math.min(254, exponent + (random() >>> 29) - 4));
  return floatOf(((random() & 0x80000000) | (field << 23) | (random() >>> 9)) >>> 0);
}

function expectExact(a: number, b: number, c: number): void {
  const exact = scaled(a) * scaled(b) + (scaled(c) << 149n);
  if (exact !== 0n) expect(fma(a, b, c), `${a} · ${b} + ${c}`).toBe(nearest(exact));
}

describe('a fused multiply-add in doubles is exact', () => {
  it.each([
    ['of ordinary numbers', 127, 127, 127],
    ['where the sum cancels or dwarfs the product', 127, 127, 115],
    ['of tiny products', 30, 70, 1],
    ['near overflow', 200, 180, 253],
    ['of denormals', 0, 127, 0],
  ])('%s', (_, ea, eb, ec) => {
    for (let i = 0; i < 2000; i++) expectExact(near(ea), near(eb), near(ec));
  });

  it('at ties, and next to them', () => {
    // 1 + 2^−24 is between two f32 numbers; a product below 2^−80 decides.
    const half = 2 ** -24;
    for (const tiny of [2 ** -100, -(2 ** -100)])
      for (const c of [1, 1 + 2 ** -23, -1, -1 - 2 ** -23]) {
        expectExact(1 + 2 ** -12, half * (1 - 2 ** -12), c);
        expectExact(half * (1 + 2 ** -23), 1 - 2 ** -23, c);
        expectExact(tiny, 1, c * half);
      }
    expect(fma(2 ** -12 * (1 + 2 ** -23), 2 ** -12 * (1 - 2 ** -23), 1)).toBe(1);
    expect(fma(2 ** -12 * (1 + 2 ** -23), 2 ** -12 * (1 + 2 ** -22), 1)).toBe(1 + 2 ** -23);
  });

  it('with the zeros, infinities and NaNs of IEEE 754', () => {
    expect(fma(1, 1, -1)).toBe(0);
    expect(fma(-1, 0, -0)).toBe(-0);
    expect(fma(-1e-30, 1e-30, 0)).toBe(-0);
    expect(fma(3e38, 3e38, -Infinity)).toBe(-Infinity);
    expect(fma(3e38, 10, 0)).toBe(Infinity);
    expect(fma(Infinity, 0, 1)).toBeNaN();
    expect(fma(Infinity, 1, -Infinity)).toBeNaN();
  });
});
