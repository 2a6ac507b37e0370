import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideAssignment } from '../../job/assignment.js';
import { cover } from '../../job/tree.js';

type Sets = Record<string, number[]>;

function decide(shards: number, workers: string[], previous: Sets = {}) {
  return decideAssignment({ shards, workers, previous: new Map(Object.entries(previous)) });
}

function assign(shards: number, workers: string[], previous: Sets = {}): Sets {
  return Object.fromEntries(decide(shards, workers, previous).assignment);
}

function partials(sets: Iterable<readonly number[]>, shards: number): number {
  return [...sets].reduce((sum, set) => sum + cover(set, shards).length, 0);
}

/** Shards that moved to another worker, compared with `previous`. */
function moved(sets: Sets, previous: Sets): number {
  return Object.entries(sets).flatMap(([id, set]) => set.filter((shard) => !previous[id]?.includes(shard))).length;
}

describe('decideAssignment from scratch', () => {
  it.each<[number, string[], Sets]>([
    [5, ['a'], { a: [0, 1, 2, 3, 4] }],
    [5, ['a', 'b'], { a: [0, 1, 2], b: [3, 4] }],
    [5, ['a', 'b', 'c'], { a: [0, 1], b: [2], c: [3, 4] }],
    [5, ['a', 'b', 'c', 'd', 'e'], { a: [0], b: [1], c: [2], d: [3], e: [4] }],
    [2, ['a', 'b', 'c'], { a: [0], b: [1], c: [] }],
    [4, ['b', 'a'], { b: [0, 1], a: [2, 3] }],
    [4, ['a', 'b', 'c'], { a: [0, 1], b: [2, 3], c: [] }],
    [1, ['a', 'b'], { a: [0], b: [] }],
    [3, [], {}],
  ])('of %i shards on %j is %j', (shards, workers, expected) => {
    expect(assign(shards, workers)).toEqual(expected);
  });
});

describe('decideAssignment after a change', () => {
  it.each<[string, number, string[], Sets, Sets]>([
    ['keeps everything when nothing changed', 5, ['a', 'b'], { a: [0, 4, 2], b: [1, 3] }, { a: [0, 2, 4], b: [1, 3] }],
    [
      'gives a lost worker’s shard where it joins a sum',
      5,
      ['a', 'c'],
      { a: [0, 1], b: [2], c: [3, 4] },
      { a: [0, 1, 2], c: [3, 4] },
    ],
    [
      'moves as few shards to a new worker as balance needs',
      5,
      ['a', 'b'],
      { a: [0, 1, 2, 3, 4] },
      { a: [0, 1, 2], b: [3, 4] },
    ],
    [
      'takes one shard of the fullest for a third worker',
      5,
      ['a', 'b', 'c'],
      { a: [0, 1, 2], b: [3, 4] },
      { a: [0, 1], b: [3, 4], c: [2] },
    ],
    [
      'leaves a new worker idle that would not shorten a step',
      4,
      ['a', 'b', 'c'],
      { a: [0, 1], b: [2, 3] },
      { a: [0, 1], b: [2, 3], c: [] },
    ],
    [
      'ignores shards that do not exist and what two claim',
      3,
      ['a', 'b'],
      { a: [0, 7], b: [0, 1, 2] },
      { a: [0], b: [1, 2] },
    ],
  ])('%s', (_, shards, workers, previous, expected) => {
    expect(assign(shards, workers, previous)).toEqual(expected);
  });

  it('reports what it did and why', () => {
    expect(decide(5, ['a', 'b']).reason).toBe(
      '5 shards on 2 workers: at most 3 each; 5 newly assigned; 2 partials per step',
    );
    expect(decide(2, ['a', 'b', 'c'], { a: [0], b: [1] }).reason).toBe(
      '2 shards on 2 workers: at most 1 each; 0 newly assigned; 2 partials per step; ' +
        'idle, because more workers would not shorten a step: c',
    );
    expect(decide(3, []).reason).toBe('3 shards unassigned: no workers connected');
  });
});

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
/** Shards, workers, and previous owners: owner 7 is a worker that has left. */
const situations = fc
  .record({ shards: fc.integer({ min: 1, max: 20 }), count: fc.integer({ min: 1, max: 7 }) })
  .chain(({ shards, count }) => {
    const owners = fc.array(fc.nat(count), { minLength: shards, maxLength: shards });
    return fc.record({ shards: fc.constant(shards), workers: fc.constant(ids.slice(0, count)), owners });
  })
  .map(({ shards, workers, owners }) => {
    const held = (worker: number) => owners.flatMap((owner, shard) => (owner === worker ? [shard] : []));
    return { shards, workers, previous: Object.fromEntries(workers.map((id, worker) => [id, held(worker)])) };
  });

it('decides for thousands of workers and shards, which in quadratic time per worker would take minutes', () => {
  const count = 4_096;
  const workers = Array.from({ length: count }, (_, i) => `w${i}`);
  const { assignment } = decideAssignment({ shards: count, workers, previous: new Map() });
  expect([...assignment.values()]).toEqual(workers.map((_, shard) => [shard]));
});

describe('decideAssignment in any situation', () => {
  it('gives every shard to one worker, with the smallest possible largest load', () => {
    fc.assert(
      fc.property(situations, ({ shards, workers, previous }) => {
        const sets = Object.values(assign(shards, workers, previous));
        expect(sets.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: shards }, (_, shard) => shard));
        expect(Math.max(...sets.map((set) => set.length))).toBe(Math.ceil(shards / workers.length));
      }),
    );
  });

  it('moves nothing but what nobody present held and what exceeds the largest load', () => {
    fc.assert(
      fc.property(situations, ({ shards, workers, previous }) => {
        const largest = Math.ceil(shards / workers.length);
        const kept = Object.values(previous).reduce((sum, held) => sum + Math.min(held.length, largest), 0);
        expect(moved(assign(shards, workers, previous), previous)).toBe(shards - kept);
      }),
    );
  });

  it('does not change again when asked again', () => {
    fc.assert(
      fc.property(situations, ({ shards, workers, previous }) => {
        const decided = assign(shards, workers, previous);
        expect(assign(shards, workers, decided)).toEqual(decided);
      }),
    );
  });

  it('moves only the shards of a worker that leaves', () => {
    fc.assert(
      fc.property(situations, fc.nat(6), ({ shards, workers, previous }, index) => {
        const before = assign(shards, workers, previous);
        const leaving = workers[index % workers.length]!;
        const staying = workers.filter((id) => id !== leaving);
        const after = assign(shards, staying, before);
        for (const [id, set] of Object.entries(after)) for (const shard of before[id]!) expect(set).toContain(shard);
      }),
    );
  });
});

describe('decideAssignment against all possibilities', () => {
  /** The fewest partials of any assignment with loads up to `largest`. */
  function fewestPartials(shards: number, workers: number, largest: number): number {
    const sets = Array.from({ length: workers }, (): number[] => []);
    const search = (shard: number): number => {
      if (shard === shards) return partials(sets, shards);
      const open = sets.filter((set) => set.length < largest);
      const results = open.map((set) => {
        set.push(shard);
        const fewest = search(shard + 1);
        set.pop();
        return fewest;
      });
      return Math.min(...results);
    };
    return search(0);
  }

  it('sends the fewest partials from scratch, for up to eight shards on up to four workers', () => {
    for (let shards = 1; shards <= 8; shards++) {
      for (let count = 1; count <= Math.min(shards, 4); count++) {
        const sets = Object.values(assign(shards, ids.slice(0, count)));
        expect(partials(sets, shards)).toBe(fewestPartials(shards, count, Math.ceil(shards / count)));
      }
    }
  });
});
