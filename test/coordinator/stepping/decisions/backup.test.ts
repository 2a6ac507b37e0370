import { describe, expect, it } from 'vitest';
import { decideBackupShards } from '../../../../coordinator/stepping/decisions/backup.js';

type Sets = Record<string, number[]>;
const none: Sets = {};

describe('prefetching by standby workers', () => {
  it.each<[string, Sets, Sets, Sets]>([
    ['is nothing when all work', { a: [0], b: [1] }, none, {}],
    ['is nothing when nobody works', { a: [], b: [] }, none, { a: [], b: [] }],
    ['is everything for one alone, the largest load first', { a: [0], b: [1, 2], c: [] }, none, { c: [1, 2, 0] }],
    [
      'is shared by two, each worker covered as a whole',
      { a: [0, 1], b: [2], c: [3, 4], d: [], e: [] },
      none,
      { d: [0, 1, 2], e: [3, 4] },
    ],
    ['is a second copy where more stand by than work', { a: [0], b: [], c: [] }, none, { b: [0], c: [0] }],
    [
      'is what they have already, where the loads allow',
      { a: [0], b: [1], c: [], d: [] },
      { c: [1], d: [0] },
      { c: [1], d: [0] },
    ],
  ])('%s', (_, assignment, holding, standby) => {
    const held = new Map(Object.entries(holding).map(([id, shards]) => [id, new Set(shards)]));
    expect(Object.fromEntries(decideBackupShards(new Map(Object.entries(assignment)), held))).toEqual(standby);
  });

  it('covers the loss of any one worker, whatever the loads', () => {
    for (let working = 1; working <= 6; working++) {
      for (let standing = 1; standing <= 6; standing++) {
        const assignment = new Map<string, number[]>();
        for (let w = 0; w < working; w++) assignment.set(`w${w}`, [w, working + w].slice(0, 1 + (w % 2)));
        for (let s = 0; s < standing; s++) assignment.set(`s${s}`, []);
        const standby = [...decideBackupShards(assignment, new Map()).values()];
        for (let w = 0; w < working; w++) {
          const lost = assignment.get(`w${w}`)!;
          expect(standby.some((shards) => lost.every((shard) => shards.includes(shard)))).toBe(true);
        }
      }
    }
  });
});
