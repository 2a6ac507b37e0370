/**
 * Functions of f32 in Lockstep arithmetic: computed in double with separately rounded + − × ÷, then rounded once to f32.
 *
 * These are the operations of `kernels/functions.h` in the same order with the same constants, so both give the same bits.
 * No error exceeds 0.500001 units of the last place of f32 (8.6 million inputs each, against 64-bit long double; see
 * `test/engine/native/kernels/accuracy.c`).
 */

/** Adding it rounds to the nearest integer, half to even. */
const shift = 6755399441055744;
const log2E = 1.4426950408889634;
const ln2 = 0.6931471805599453;
/** 32 bits, so that its products with integers are exact. */
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;
const halfPi = 1.5707963267948966;
/** e^110 is infinite in f32 and e^−110 is 0. */
const range = 110;

/** Coefficients of polynomials, highest power first. */
const exponentialSeries = [
  1 / 479001600,
  1 / 39916800,
  1 / 3628800,
  1 / 362880,
  1 / 40320,
  1 / 5040,
  1 / 720,
  1 / 120,
  1 / 24,
  1 / 6,
  1 / 2,
  1,
];
const logarithmSeries = [1 / 17, 1 / 15, 1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1];
const sineSeries = [1 / 6227020800, -1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1];
const cosineSeries = [-1 / 87178291200, 1 / 479001600, -1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -1 / 2, 1];
/** erf(x) / x in x² / 8 − 1, from the 25 Chebyshev points. */
const erfSeries = [
  1.470596054227332e-7, -4.877086856145344e-7, 6.435055673730993e-7, -1.7848993024438428e-6, 7.17946533355761e-6,
  -1.9631487154950747e-5, 4.751330675829427e-5, -0.00011653664526997821, 0.00027577056977207826, -0.0006137606235525727,
  0.0012925067184882686, -0.002577846611250372, 0.0048535834651676395, -0.008606338067955617, 0.01434959246109288,
  -0.022473544656357074, 0.03306063349320292, -0.04576511340256077, 0.05988690492345173, -0.07472786553616904,
  0.09020899411407204, -0.10771044253534588, 0.13167511689468112, -0.17657623330130645, 0.35353099564340495,
];
/** 2 / π in binary after 32 zeros. */
const twoOverPi = Uint32Array.of(
  0,
  0xa2f9836e,
  0x4e441529,
  0xfc2757d1,
  0xf534ddc0,
  0xdb629599,
  0x3c439041,
  0xfe5163ab,
  0xdebbc561,
);

const double = new DataView(new ArrayBuffer(8));

/** e^x for f32 x; infinite above 88.72, 0 below −103.97. */
export const exp = (x: number): number => Math.fround(expDouble(x));
/** ln x; −Infinity for ±0, NaN below. */
export const log = (x: number): number => Math.fround(logDouble(x));
/** tanh(±0) = ±0. */
export const tanh = (x: number): number => Math.fround(tanhDouble(x));
/** 1 / (1 + e^−x). */
export const sigmoid = (x: number): number => Math.fround(1 / (1 + expDouble(-x)));
/** erf(±0) = ±0. */
export const erf = (x: number): number => Math.fround(erfDouble(x));
/** ln(1 + e^x). */
export const softplus = (x: number): number => Math.fround(softplusDouble(x));
/** x for x > 0, else e^x − 1; +0 for ±0. */
export const elu = (x: number): number => Math.fround(x > 0 ? x : expMinusOne(x));
/** sin(±0) = ±0; NaN for infinities. */
export const sin = (x: number): number => Math.fround(sineOf(turned(x), 0));
/** NaN for infinities. */
export const cos = (x: number): number => Math.fround(sineOf(turned(x), 1));
/** x^y with the special values of IEEE 754 (unlike JavaScript, 1^y = 1 for every y, and (−1)^±Infinity = 1). */
export const pow = (x: number, y: number): number => Math.fround(powDouble(x, y));

function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((p, coefficient) => p * x + coefficient);
}

/** e^x = power + power · rest with a power of 2 and |rest| < 0.42; x is cut off at ±110. */
function exponential(given: number): { readonly power: number; readonly rest: number } {
  const x = given < -range ? -range : given > range ? range : given;
  const n = x * log2E + shift - shift;
  const r = x - n * ln2High - n * ln2Low;
  return { power: powerOfTwo(n), rest: horner(exponentialSeries, r) * r };
}

/** 2^n for −1023 < n < 1024; any number for NaN. */
function powerOfTwo(n: number): number {
  double.setUint32(0, (n + 1023) << 20);
  double.setUint32(4, 0);
  return double.getFloat64(0);
}

function expDouble(x: number): number {
  const { power, rest } = exponential(x);
  return power + power * rest;
}

/** e^x − 1 without cancellation near 0. */
function expMinusOne(x: number): number {
  const { power, rest } = exponential(x);
  return power - 1 + power * rest;
}

/** ln((1 + s) / (1 − s)) for |s| < 0.1716. */
function logSeries(s: number): number {
  return (s + s) * horner(logarithmSeries, s * s);
}

/** x = 2^n m with m about 0.707 to 1.414. */
function logDouble(x: number): number {
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  if (!(x > 0)) return NaN;
  double.setFloat64(0, x);
  const high = double.getUint32(0) + 0x00095f62;
  double.setUint32(0, (high & 0xfffff) + 0x3fe6a09e);
  const f = double.getFloat64(0) - 1;
  return ((high >>> 20) - 1023) * ln2 + logSeries(f / (f + 2));
}

/** max(x, 0) + ln(1 + u) with u = e^−|x|; above √2 − 1, ln(1 + u) = ln 2 + ln((1 + u) / 2). */
function softplusDouble(x: number): number {
  const u = expDouble(-Math.abs(x));
  const logarithm = u > 0.41421356 ? ln2 + logSeries((u - 1) / (u + 3)) : 0 + logSeries(u / (u + 2));
  return (x > 0 ? x : 0) + logarithm;
}

function tanhDouble(x: number): number {
  const t = expMinusOne(Math.abs(x) * -2);
  return signedLike(Math.abs(t) / (t + 2), x);
}

/** From 4 on, erf is 1 in f32. */
function erfDouble(x: number): number {
  const a = Math.abs(x) > 4 ? 4 : Math.abs(x);
  return signedLike(a * horner(erfSeries, a * a * 0.125 - 1), x);
}

function signedLike(v: number, x: number): number {
  return isNegative(x) ? -v : v;
}

function isNegative(x: number): boolean {
  return x < 0 || Object.is(x, -0);
}

/** x = (turns + rest) · π / 2 modulo 2π. */
interface Turned {
  readonly turns: number;
  readonly rest: number;
}

/** x = m · 2^up with an integer m below 2^24, or up = 0. Its product with 2^up · 2 / π modulo 4, in four exact parts. */
function turned(x: number): Turned {
  double.setFloat32(0, x);
  const up = Math.max(((double.getUint32(0) & 0x7fffffff) >>> 23) - 150, 0);
  const m = x * powerOfTwo(-up);
  const [a, b, c, d] = [26, 54, 82, 110].map((weight, j) => {
    return m * (bitsOfTwoOverPi(up + 30 + 28 * j) * powerOfTwo(-weight));
  }) as [number, number, number, number];
  const n = a + shift - shift;
  const sum = a - n + b;
  const more = sum + shift - shift;
  return { turns: n + more, rest: sum - more + c + d };
}

/** 28 bits of 2 / π from `bit` on. */
function bitsOfTwoOverPi(bit: number): number {
  const [word, offset] = [bit >>> 5, bit & 31];
  const next = offset === 0 ? 0 : twoOverPi[word + 1]! >>> (32 - offset);
  return ((twoOverPi[word]! << offset) | next) >>> 4;
}

/** Sine of an angle, `more` quarters of a turn ahead. */
function sineOf({ turns, rest }: Turned, more: number): number {
  const r = rest * halfPi;
  const quarter = turns + more;
  const y = (quarter & 1) === 0 ? r * horner(sineSeries, r * r) : horner(cosineSeries, r * r);
  return (quarter & 2) === 0 ? y : -y;
}

function powDouble(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  const a = Math.abs(x);
  const isWhole = Math.floor(y) === y;
  if (x < 0 && a !== Infinity && !isWhole) return NaN;
  const p = a === 1 && !Number.isNaN(y) ? 1 : expDouble(y * logDouble(a));
  const isOdd = isWhole && Math.floor(y * 0.5) !== y * 0.5;
  return isOdd && isNegative(x) ? -p : p;
}
