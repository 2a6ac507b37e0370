import { expect, it } from 'vitest';
import { BufferPool } from '../../worker/buffer-pool.js';
import { transferred } from '../../worker/engine-thread.js';

it('gives out a returned buffer again, and new ones while none has come back', () => {
  const pool = new BufferPool(3);
  const [first, second] = [pool.take(), pool.take()];
  expect(first).toHaveLength(3);
  expect(first).not.toBe(second);
  pool.put([second]);
  expect(pool.take()).toBe(second);
  expect(pool.take()).not.toBe(first);
});

it('sends vectors and gradients to the other thread without copying, and back again', () => {
  const [a, b, c] = [1, 2, 3].map((value) => Float32Array.of(value)) as [Float32Array, Float32Array, Float32Array];
  const vector = { step: 1, evaluation: false, values: a, beginMs: 0, endMs: 1 };
  const message = { kind: 'vector' as const, vector, used: [b, c] };
  const sent = structuredClone(message, { transfer: transferred(message) });
  expect(sent).toMatchObject({
    vector: { values: Float32Array.of(1) },
    used: [Float32Array.of(2), Float32Array.of(3)],
  });
  expect([a, b, c].map(({ length }) => length)).toEqual([0, 0, 0]);
  const gradient = sent.vector.values;
  const result = { term: 1, step: 1, node: { first: 0, count: 1 }, gradient, reports: [], stamps: undefined };
  expect(transferred({ kind: 'result', result, used: [] })).toEqual([gradient.buffer]);
  expect(transferred({ kind: 'forget' })).toEqual([]);
});
