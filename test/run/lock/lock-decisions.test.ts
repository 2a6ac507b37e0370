import { describe, expect, it } from 'vitest';
import { decideLock, type HeldLock, type LockDecision } from '../../../run/lock/lock-decisions.js';

const found: HeldLock = {
  holder: { host: 'a', pid: 20 },
  ageMs: 3_000,
  watchedMs: 0,
  self: { host: 'a', pid: 10 },
  isAlive: true,
};
const elsewhere = { holder: { host: 'b', pid: 20 }, isAlive: false };

describe('the decision about a held lock', () => {
  it.each<[string, Partial<HeldLock>, LockDecision['action'], string]>([
    ['of a process at work', {}, 'refuse', 'process 20 on a is using it'],
    ['of a process of this machine that has ended', { isAlive: false }, 'take', 'process 20 on a has ended'],
    [
      'of our own id, as in a container that starts again',
      { holder: { host: 'a', pid: 10 } },
      'take',
      "process 10 on a was this process's predecessor",
    ],
    ['of another machine', elsewhere, 'wait', 'process 20 on b holds it'],
    ['of nobody known', { holder: undefined }, 'wait', 'an unknown process holds it'],
    [
      'of a process that is there and does not renew it',
      { ageMs: 15_000 },
      'wait',
      'process 20 on a holds it and does not renew it',
    ],
    [
      'of such a process, watched for more than a renewal',
      { ageMs: 15_000, watchedMs: 7_500 },
      'take',
      'process 20 on a has not renewed it for 15 s',
    ],
    [
      'of another machine whose clock is behind',
      { ...elsewhere, ageMs: 60_000, watchedMs: 7_499 },
      'wait',
      'process 20 on b holds it',
    ],
    [
      'of another machine that has not renewed it',
      { ...elsewhere, ageMs: 15_000, watchedMs: 7_500 },
      'take',
      'process 20 on b has not renewed it for 15 s',
    ],
    [
      'of another machine whose clock is ahead, watched for as long',
      { ...elsewhere, ageMs: -60_000, watchedMs: 15_000 },
      'take',
      'process 20 on b has not renewed it for 15 s',
    ],
  ])('%s', (_, change, action, reason) => {
    expect(decideLock({ ...found, ...change })).toEqual({ action, reason });
  });
});
