import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit } from '../../../operator/kube/rate-limit.js';

/** Times at which successive requests pass, each waiting for its token. */
function passes(limit: RateLimit, nowMs: number, count: number): number[] {
  return Array.from({ length: count }, () => {
    nowMs += limit.untilNextMs(nowMs);
    expect(limit.tryTake(nowMs)).toBe(true);
    return Math.round(nowMs);
  });
}

test('a burst passes at once, and then the given number per second', () => {
  const limit = new RateLimit(10, 3);
  expect(passes(limit, 0, 6)).toEqual([0, 0, 0, 100, 200, 300]);
  expect(limit.tryTake(300)).toBe(false);
  expect(limit.untilNextMs(600)).toBe(0);
});

test('no more pass in any second than the rate and the burst together', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }), (gaps) => {
      const limit = new RateLimit(20, 5);
      let nowMs = 0;
      const passed = gaps.map((gapMs) => (nowMs = passes(limit, nowMs + gapMs, 1)[0]!));
      for (const [index, fromMs] of passed.entries()) {
        const within = passed.slice(index).filter((ms) => ms < fromMs + 999).length;
        expect(within).toBeLessThanOrEqual(25);
      }
    }),
    { numRuns: 200 },
  );
});

test('nothing passes before the requested wait is over', () => {
  const limit = new RateLimit(10, 3);
  limit.holdUntil(5000);
  expect(limit.tryTake(4999)).toBe(false);
  expect(passes(limit, 0, 2)).toEqual([5100, 5200]);
});
