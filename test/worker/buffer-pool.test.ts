import { expect, it } from 'vitest';
import { BufferPool } from '../../worker/buffer-pool.js';
import { handedOver } from '../../worker/engine-thread.js';

it('gives out a buffer again once it has come back, and new ones while none has', () => {
  const pool = new BufferPool(3);
  const [first, second] = [pool.take(), pool.take()];
  expect(first).toHaveLength(3);
  expect(first).not.toBe(second);
  pool.put([second]);
  expect(pool.take()).toBe(second);
  expect(pool.take()).not.toBe(first);
});

it('sends vectors and gradients to the other thread without copying them, and so those that go back', () => {
  const [a, b, c] = [1, 2, 3].map((value) => Float32Array.of(value)) as [Float32Array, Float32Array, Float32Array];
  const vector = { kind: 'vector', step: 1, evaluation: false, values: a, used: [b, c] } as const;
  const sent = structuredClone(
    { ...vector, used: [...vector.used] },
    { transfer: handedOver({ ...vector, used: [b, c] }) },
  );
  expect(sent).toMatchObject({ values: Float32Array.of(1), used: [Float32Array.of(2), Float32Array.of(3)] });
  expect([a, b, c].map(({ length }) => length)).toEqual([0, 0, 0]);
  const node = { first: 0, count: 1 };
  const partial = { kind: 'partial' as const, step: 1, node, reports: [], gradient: sent.values, used: [] };
  expect(handedOver(partial)).toEqual([sent.values.buffer]);
  expect(handedOver({ kind: 'forget' })).toEqual([]);
});
