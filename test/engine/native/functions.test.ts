import { expect, test } from 'vitest';
import * as functions from '../../../engine/native/reference/functions.js';

/** Hashes that test/engine/native/kernels/check.c prints for the kernels of every instruction set. */
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
