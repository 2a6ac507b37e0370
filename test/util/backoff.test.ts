import { expect, it } from 'vitest';
import { backoffMs } from '../../worker/backoff.js';

it.each([
  [1, 250],
  [2, 500],
  [3, 1_000],
  [4, 2_000],
  [5, 4_000],
  [6, 4_000],
  [1_000_000_000, 4_000],
])('waits before attempt %i at most %i ms, and at random down to three quarters of it', (attempt, ms) => {
  expect(backoffMs(attempt, 0)).toBe(ms);
  expect(backoffMs(attempt, 0.5)).toBe(Math.round(ms * 0.875));
  expect(backoffMs(attempt, 1)).toBe(Math.round(ms * 0.75));
});

it('waits in whole milliseconds', () => {
  expect(backoffMs(1, 0.123)).toBe(242);
});
