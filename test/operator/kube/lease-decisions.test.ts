import { describe, expect, test } from 'vitest';
import {
  decideLease,
  heldLease,
  leaseTimes,
  mustStopLeading,
  renewTryMs,
  releasedLease,
} from '../../../operator/kube/lease-decisions.js';

const now = new Date('2026-11-23T06:00:00.123Z');
const theirs = { holderIdentity: 'them', leaseDurationSeconds: 15, acquireTime: 'then', leaseTransitions: 2 };

describe('the leader', () => {
  test.each([
    ['there is no lease', undefined, 0, 'create'],
    ['it is ours', { ...theirs, holderIdentity: 'us' }, 99_000, 'renew'],
    ['it was given back', { ...theirs, holderIdentity: '' }, 0, 'take'],
    ['another leads', theirs, 14_999, 'wait'],
    ['another has been silent for too long', theirs, 15_000, 'take'],
    ['another promised itself a longer time', { ...theirs, leaseDurationSeconds: 60 }, 59_999, 'wait'],
    ['another promised itself a shorter time than ours', { ...theirs, leaseDurationSeconds: 1 }, 14_999, 'wait'],
  ])('%s', (_what, lease, unchangedMs, action) => {
    expect(decideLease({ lease, identity: 'us', unchangedMs, leaseMs: 15_000 }).action).toBe(action);
  });

  test("the holder's clock is not trusted: a renewal from the future or the past counts from when it was seen", () => {
    const lease = { ...theirs, renewTime: '2099-01-01T00:00:00.000000Z' };
    expect(decideLease({ lease, identity: 'us', unchangedMs: 15_000, leaseMs: 15_000 }).action).toBe('take');
    const past = { ...theirs, renewTime: '1999-01-01T00:00:00.000000Z' };
    expect(decideLease({ lease: past, identity: 'us', unchangedMs: 0, leaseMs: 15_000 }).action).toBe('wait');
  });
});

test('taking over counts a transition and sets a new time, a renewal does neither', () => {
  const taken = heldLease(theirs, 'us', 15_000, now);
  expect(taken).toEqual({
    holderIdentity: 'us',
    leaseDurationSeconds: 15,
    acquireTime: '2026-11-23T06:00:00.123000Z',
    renewTime: '2026-11-23T06:00:00.123000Z',
    leaseTransitions: 3,
  });
  const renewed = heldLease(taken, 'us', 15_000, new Date(now.getTime() + 2000));
  expect(renewed).toEqual({ ...taken, renewTime: '2026-11-23T06:00:02.123000Z' });
  expect(heldLease(undefined, 'us', 15_000, now).leaseTransitions).toBe(0);
});

test('a released lease can be taken at once', () => {
  const released = releasedLease(heldLease(theirs, 'us', 15_000, now), now);
  expect(decideLease({ lease: released, identity: 'them', unchangedMs: 0, leaseMs: 15_000 }).action).toBe('take');
});

test('a leader stops before another one may begin', () => {
  const times = leaseTimes(15);
  const { leaseMs, renewLimitMs, retryMs } = times;
  expect(times).toEqual({ leaseMs: 15_000, renewLimitMs: 10_000, retryMs: 2_000 });
  expect(mustStopLeading(renewLimitMs, times)).toBe(true);
  expect(mustStopLeading(renewLimitMs - 1, times)).toBe(false);
  // The longest time between two checks of a leader, whose limit may have passed right after the first.
  expect(renewLimitMs + retryMs * 1.2).toBeLessThan(leaseMs);
});

test('a renewal takes half of the time at most, and ends with it', () => {
  const times = leaseTimes(15);
  expect([0, 2000.4, 6330.25, 9999.9, 12_000].map((ms) => renewTryMs(ms, times))).toEqual([5000, 5000, 3669, 1, 1]);
});
