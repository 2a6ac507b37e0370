import { expect, test } from 'vitest';
import * as functions from '../../../engine/native/reference/functions.js';

/** Hashes that test/engine/native/kernels/check.c has for the kernels of every instruction set. */
const hashes = {
  exp: '8a289eb1',
  log: '969b56b6',
  tanh: '7c93ad7e',
  sigmoid: '98187d84',
  erf: 'dfaffb5d',
  softplus: '4c5718ce',
  elu: '73ec7f3f',
  sin: '21688f27',
  cos: '1c052d29',
  pow: '0decd6c1',
} as const;

/** Every 65537th f32 bit pattern: all exponents, both signs, infinities and NaNs. */
const inputs = new Float32Array(Uint32Array.from({ length: 65536 }, (_, i) => i * 65537).buffer);
const exponents = Float32Array.from({ length: 65536 }, (_, i) => (i % 129) * 0.25 - 16);

function hashOf(results: Float32Array): string {
  const words = new Uint32Array(results.buffer).map((word, i) => (Number.isNaN(results[i]) ? 0x7fc00000 : word));
  return (words.reduce((hash, word) => Math.imul(hash ^ word, 16777619), 2166136261 | 0) >>> 0)
    .toString(16)
    .padStart(8, '0');
}

test.each(Object.keys(hashes) as (keyof typeof hashes)[])('%s gives the bits of the C kernels', (name) => {
  const results = inputs.map((x, i) => functions[name](x, exponents[i]!));
  expect(hashOf(results)).toBe(hashes[name]);
});

/** The same functions by JavaScript's own, whose errors are about 1e-16. */
const exact: Partial<Record<keyof typeof hashes, (x: number) => number>> = {
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  sin: Math.sin,
  cos: Math.cos,
};

/** Units of the last place of f32 between a result and a value in double. */
function errorOf(result: number, value: number): number {
  if (Object.is(result, Math.fround(value))) return 0;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -126) - 23;
  return Math.abs(result - value) / 2 ** exponent;
}

test.each(Object.keys(exact) as (keyof typeof exact)[])('%s is the nearest f32, but for ties within 0.0001', (name) => {
  const errors = inputs.map((x) => errorOf((functions[name] as (x: number) => number)(x), exact[name]!(x)));
  expect(Math.max(...errors.filter((error) => !Number.isNaN(error)))).toBeLessThan(0.5001);
  expect(errors.some(Number.isNaN)).toBe(false);
});

test.each([
  ['exp', -103.98, 0],
  ['exp', -103.97, 2 ** -149],
  ['exp', 88.73, Infinity],
  ['exp', -Infinity, 0],
  ['log', -0, -Infinity],
  ['log', -1, NaN],
  ['log', 2 ** -149, Math.fround(-149 * Math.LN2)],
  ['tanh', -0, -0],
  ['tanh', Infinity, 1],
  ['sigmoid', -Infinity, 0],
  ['sigmoid', -103.98, 0],
  ['erf', -0, -0],
  ['erf', 0.5, Math.fround(0.5204998778130465)],
  ['erf', 2, Math.fround(0.9953222650189527)],
  ['erf', 4, 1],
  ['erf', -Infinity, -1],
  ['softplus', -Infinity, 0],
  ['softplus', Infinity, Infinity],
  ['elu', -0, 0],
  ['elu', -Infinity, -1],
  ['sin', -0, -0],
  ['sin', Infinity, NaN],
  ['cos', -Infinity, NaN],
] as const)('%s(%f) is %f', (name, x, y) => {
  expect(functions[name](Math.fround(x))).toBe(y);
  expect(functions[name](NaN)).toBe(NaN);
});

test.each([
  [NaN, 0, 1],
  [1, NaN, 1],
  [1, Infinity, 1],
  [-1, -Infinity, 1],
  [-2, 3, -8],
  [-2, 0.5, NaN],
  [-0, -3, -Infinity],
  [-0, 3, -0],
  [-0, 2, 0],
  [0, -2, Infinity],
  [-Infinity, 3, -Infinity],
  [-Infinity, 0.5, Infinity],
  [-Infinity, -3, -0],
  [0.5, Infinity, 0],
  [0.5, -Infinity, Infinity],
  [2, 128, Infinity],
  [2, -149, 2 ** -149],
  [2, -151, 0],
  [NaN, 1, NaN],
])('pow(%f, %f) is %f', (x, y, z) => {
  expect(functions.pow(x, y)).toBe(z);
});
