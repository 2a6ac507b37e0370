import { describe, expect, it } from 'vitest';
import { decideLost, decideStart, type Presence } from '../../../coordinator/decisions/presence.js';

describe('who is lost', () => {
  const at = (lastHeardMs: number, workerId = 'w') => ({ workerId, lastHeardMs });
  it.each<[string, ReturnType<typeof at>[], number, string[]]>([
    ['nobody who is silent for exactly the limit', [at(1_000)], 0, []],
    ['who is silent for longer', [at(999.9)], 0, ['w']],
    ['only those silent for longer', [at(0, 'old'), at(2_900, 'new'), at(500, 'older')], 0, ['old', 'older']],
    ['nobody when the check runs late by more than a quarter of the limit', [at(0)], 501, []],
    ['who is silent for longer when the check is hardly late', [at(0)], 500, ['w']],
    ['nobody among none', [], 0, []],
  ])('is %s', (_, workers, lateMs, lost) => {
    expect(decideLost(workers, 3_000, 2_000, lateMs)).toEqual(lost);
  });
});

describe('whether a run starts', () => {
  it.each<[Presence, number, boolean, string]>([
    [{ ready: ['a', 'b'], compiling: [], gone: [] }, 2, true, '2 workers ready'],
    [{ ready: ['a', 'b', 'c'], compiling: ['d'], gone: ['e'] }, 2, true, '3 workers ready'],
    [{ ready: ['a'], compiling: [], gone: [] }, 1, true, '1 worker ready'],
    [{ ready: ['a'], compiling: [], gone: [] }, 2, false, 'waiting for workers: 1 of 2 ready'],
    [{ ready: [], compiling: ['a', 'b'], gone: [] }, 2, false, 'waiting for workers: 0 of 2 ready; compiling: a, b'],
    [{ ready: [], compiling: [], gone: ['x', 'y'] }, 1, false, 'waiting for workers: 0 of 1 ready; gone: x, y'],
    [
      { ready: ['a'], compiling: ['b'], gone: ['c'] },
      3,
      false,
      'waiting for workers: 1 of 3 ready; compiling: b; gone: c',
    ],
  ])('with %j and %i wanted: %s', (presence, wanted, start, reason) => {
    expect(decideStart(presence, wanted)).toEqual({ start, reason });
  });
});
