import { expect, test } from 'vitest';
import { backoffMs, jitterMs } from '../../util/backoff.js';

test('the delay doubles from the first to the longest', () => {
  const delays = [1, 2, 3, 4, 5, 6, 1000].map((failures) => backoffMs({ firstMs: 500, maxMs: 8000 }, failures, 0));
  expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
});

test('jitter shortens a delay by its share at most, and moves a time by a fifth at most', () => {
  expect([0, 0.5, 1].map((random) => backoffMs({ firstMs: 500, maxMs: 8000 }, 2, random))).toEqual([1000, 750, 500]);
  const few = { firstMs: 250, maxMs: 4000, jitter: 0.25 };
  expect([0, 0.5, 1, 0.123].map((random) => backoffMs(few, 1, random))).toEqual([250, 219, 188, 242]);
  expect([0, 0.5, 1].map((random) => jitterMs(1000, random))).toEqual([800, 1000, 1200]);
});
