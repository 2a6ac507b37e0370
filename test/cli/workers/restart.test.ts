import { describe, expect, it } from 'vitest';
import { decideRestart, isFinalEnd } from '../../../cli/workers/restart.js';

describe('a local worker that ended unexpectedly', () => {
  it.each([
    [1, 0, 250],
    [2, 0, 500],
    [3, 2, 1_000],
    [5, 4, 4_000],
    [6, 0, 8_000],
    [100, 4, 8_000],
  ])(
    'for the %i. time in a row, %i times before it was ready, is started again after %i ms',
    (inARow, neverReady, delayMs) => {
      expect(decideRestart({ inARow, neverReady })).toEqual({ delayMs });
    },
  );

  it('five times in a row before it was ready is not restarted again', () => {
    expect(decideRestart({ inARow: 5, neverReady: 5 })).toBe('give up');
  });

  it.each([
    [0, true],
    [1, false],
    [2, true],
    [null, false],
  ])('with exit code %s is not restarted: %s', (code, expected) => {
    expect(isFinalEnd(code)).toBe(expected);
  });
});
