import { describe, expect, it } from 'vitest';
import { type Audible, decideLost, decideStart, type Presence } from '../../../coordinator/membership/presence.js';

describe('lost workers', () => {
  const at = (lastHeardMs: number, workerId = 'w') => ({ workerId, lastHeardMs, heartbeat: {} });
  it.each<[string, Audible[], string[]]>([
    ['nobody who is silent for exactly the limit', [at(8_000)], []],
    ['who is silent for longer', [at(7_999.9)], ['w']],
    ['only those silent for longer', [at(0, 'old'), at(9_900, 'new'), at(500, 'older')], ['old', 'older']],
    ['nobody whose first heartbeat may still be connecting', [{ workerId: 'w', lastHeardMs: 3_000 }], []],
    ['who took longer than a connection and the limit', [{ workerId: 'w', lastHeardMs: 2_999 }], ['w']],
    ['nobody among none', [], []],
  ])('is %s', (_, workers, lost) => {
    expect(decideLost(workers, 10_000, 2_000)).toEqual(lost);
  });
});

describe('a run starts', () => {
  it.each<[Presence, number, boolean, string]>([
    [{ ready: ['a', 'b'], compiling: [], gone: [] }, 2, true, '2 workers ready'],
    [{ ready: ['a', 'b', 'c'], compiling: ['d'], gone: ['e'] }, 2, true, '3 workers ready'],
    [{ ready: ['a'], compiling: [], gone: [] }, 1, true, '1 worker ready'],
    [{ ready: ['a'], compiling: [], gone: [] }, 2, false, 'waiting for workers: 1 of 2 ready'],
    [{ ready: [], compiling: ['a', 'b'], gone: [] }, 2, false, 'waiting for workers: 0 of 2 ready; compiling: a, b'],
    [{ ready: [], compiling: [], gone: ['x', 'y'] }, 1, false, 'waiting for workers: 0 of 1 ready; disconnected: x, y'],
    [
      { ready: [], compiling: [...'abcdefghij'], gone: [] },
      10,
      false,
      'waiting for workers: 0 of 10 ready; compiling: a, b, c, d, e, f, g, h, 2 more',
    ],
    [
      { ready: ['a'], compiling: ['b'], gone: ['c'] },
      3,
      false,
      'waiting for workers: 1 of 3 ready; compiling: b; disconnected: c',
    ],
  ])('with %j and %i required: %s', (presence, wanted, start, reason) => {
    expect(decideStart(presence, wanted)).toEqual({ start, reason });
  });
});
