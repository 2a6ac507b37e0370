import { describe, expect, it } from 'vitest';
import { decidePhase, decideWaiting, shardsIn } from '../../../../coordinator/stepping/decisions/waiting.js';
import type { Owed } from '../../../../coordinator/state/waiting.js';

const a: Owed = { workerId: 'a', shards: [0], phase: 'receiving' };
const b: Owed = { workerId: 'b', shards: [2, 3], phase: 'computing' };

describe('workers that a step waits for', () => {
  it.each<[string, number, number | undefined, Owed[], string | undefined]>([
    ['nobody within the first second', 2_000, 30, [a], undefined],
    ['nobody within three times the usual time', 8_000, 3_000, [a], undefined],
    ['nobody when nothing is owed', 99_000, 30, [], undefined],
    ['a worker, after a second', 2_400, 30, [a], 'step 7 has taken 1.4 s: waiting for a, receiving shard 0'],
    [
      'a worker, when the usual time is unknown',
      2_001,
      undefined,
      [b],
      'step 7 has taken 1.0 s: waiting for b, computing shards 2, 3',
    ],
    [
      'a worker, after three times the usual time',
      10_100,
      3_000,
      [a],
      'step 7 has taken 9.1 s: waiting for a, receiving shard 0',
    ],
    [
      'all workers that owe',
      4_000,
      30,
      [a, b],
      'step 7 has taken 3.0 s: waiting for a, receiving shard 0; b, computing shards 2, 3',
    ],
  ])('is %s', (_, nowMs, usualMs, owed, reason) => {
    const decided = decideWaiting({ nowMs, beginMs: 1_000, usualMs, step: 7, owed });
    expect(decided?.reason).toBe(reason);
    if (decided) expect(decided).toMatchObject({ step: 7, workers: owed, seconds: (nowMs - 1_000) / 1000 });
  });
});

describe('the activity of a worker', () => {
  it.each([
    [true, 'idle', 'sending'],
    [true, undefined, 'sending'],
    [false, 'computing', 'computing'],
    [false, 'sending', 'sending'],
    [false, 'receiving', 'receiving'],
    [false, 'idle', 'receiving'],
    [false, undefined, 'receiving'],
  ])('with some of its result present: %s and last reported activity %s, is %s', (sending, heartbeat, phase) => {
    expect(decidePhase(sending, heartbeat)).toBe(phase);
  });
});

describe('the shards below nodes', () => {
  it('are in ascending order', () => {
    expect(
      shardsIn([
        { first: 3, count: 2 },
        { first: 0, count: 1 },
      ]),
    ).toEqual([0, 3, 4]);
  });
});
