import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { BufferPool } from '../../worker/buffer-pool.js';

it('gives out a buffer again once it is released, and never one that is taken', () => {
  const pool = new BufferPool(3);
  const [first, second] = [pool.take(), pool.take()];
  expect(first).toHaveLength(3);
  expect(first).not.toBe(second);
  BufferPool.release(second);
  expect(pool.take()).toBe(second);
  expect(pool.take()).not.toBe(first);
});

it('sees a buffer as free that another thread has released', async () => {
  const pool = new BufferPool(2);
  const buffer = pool.take();
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    Atomics.store(new Int32Array(workerData.buffer, workerData.byteOffset + workerData.byteLength, 1), 0, 0);
    parentPort.postMessage([...workerData]);`;
  buffer.set([1, 2]);
  const thread = new Worker(code, { eval: true, workerData: buffer });
  const read = await new Promise((resolve) => thread.once('message', resolve));
  await thread.terminate();
  expect(read).toEqual([1, 2]);
  expect(pool.take()).toBe(buffer);
});
