import { describe, expect, it } from 'vitest';
import {
  type Candidate,
  decideOwners,
  type OpenItem,
  splitBatches,
} from '../../../../coordinator/stepping/decisions/owners.js';

const worker = (workerId: string, ...holding: number[]): Candidate => ({ workerId, holding: new Set(holding) });
/** A shard as an item, and a batch of an evaluation. */
const shard = (item: number, planned?: string): OpenItem => ({ item, planned, shard: item });
const batch = (item: number, planned?: string): OpenItem => ({ item, planned });
/** The second computation of shard 0. */
const audit = (item: number, by?: string): OpenItem => ({ item, shard: 0, audits: { item: 0, by } });

/** Items by worker id. */
function decided(items: readonly OpenItem[], candidates: readonly Candidate[]): Record<string, number[]> {
  return Object.fromEntries([...decideOwners(items, candidates)].map(([{ workerId }, owned]) => [workerId, owned]));
}

describe('the worker for an open item', () => {
  const shards = [shard(0, 'a'), shard(1, 'a'), shard(2, 'b')];
  const batches = [batch(0, 'a'), batch(1, 'b')];
  it.each<[string, readonly OpenItem[], Candidate[], Record<string, number[]>]>([
    ['its planned worker, which has the data', shards, [worker('a', 0, 1), worker('b', 2)], { a: [0, 1], b: [2] }],
    [
      'whoever has the data until the planned one has it',
      shards,
      [worker('a', 0, 1, 2), worker('b')],
      { a: [0, 1, 2] },
    ],
    ['the planned worker when nobody has the data', shards, [worker('a', 0), worker('b')], { a: [0, 1], b: [2] }],
    [
      'the planned worker though another has the data too',
      shards,
      [worker('b', 0, 1, 2), worker('a', 0, 1)],
      { a: [0, 1], b: [2] },
    ],
    [
      'a worker outside the plan that has the data, while the planned one is absent',
      shards,
      [worker('c', 2), worker('a', 0, 1)],
      { a: [0, 1], c: [2] },
    ],
    [
      'whoever has the least to do, while nobody planned is present',
      shards,
      [worker('c'), worker('d')],
      { c: [0, 2], d: [1] },
    ],
    ['of an evaluation: its planned worker', batches, [worker('a'), worker('b')], { a: [0], b: [1] }],
    ['of an evaluation: one that is present, when the planned one is not', batches, [worker('c')], { c: [0, 1] }],
    ['of an evaluation: nobody without workers', batches, [], {}],
    ['nobody without workers', shards, [], {}],
    [
      'an auditor other than the first one, decided at the same time',
      [shard(0, 'a'), audit(3)],
      [worker('a', 0), worker('b')],
      { a: [0], b: [3] },
    ],
    ['an auditor other than the one that has delivered', [audit(3, 'a')], [worker('a', 0), worker('b')], { b: [3] }],
    [
      'the same worker as the first time when that is alone',
      [shard(0, 'a'), audit(3)],
      [worker('a', 0)],
      { a: [0, 3] },
    ],
    ['anybody, when the first one is gone', [audit(3, 'gone')], [worker('b')], { b: [3] }],
    ['nobody to audit without workers', [audit(3, 'gone')], [], {}],
  ])('is %s', (_, items, candidates, owners) => {
    expect(decided(items, candidates)).toEqual(owners);
  });
});

describe('splitting an evaluation', () => {
  it.each<[number, string[], Record<string, number[]>]>([
    [5, ['a', 'b'], { a: [0, 1, 2], b: [3, 4] }],
    [4, ['a', 'b'], { a: [0, 1], b: [2, 3] }],
    [1, ['a', 'b', 'c'], { a: [0], b: [], c: [] }],
    [7, ['a', 'b', 'c'], { a: [0, 1, 2], b: [3, 4], c: [5, 6] }],
    [0, ['a'], { a: [] }],
  ])('gives %i batches to %j in contiguous runs', (batches, workers, split) => {
    expect(Object.fromEntries(splitBatches(batches, workers))).toEqual(split);
  });

  it('gives every batch to exactly one worker, loads differing by one at most', () => {
    for (let workers = 1; workers <= 7; workers++) {
      for (let batches = 0; batches <= 25; batches++) {
        const runs = [
          ...splitBatches(
            batches,
            Array.from({ length: workers }, (_, i) => `w${i}`),
          ).values(),
        ];
        const loads = runs.map((run) => run.length);
        expect(runs.flat()).toEqual(Array.from({ length: batches }, (_, i) => i));
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      }
    }
  });
});
