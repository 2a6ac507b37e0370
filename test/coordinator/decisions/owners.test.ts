import { describe, expect, it } from 'vitest';
import { decideOwners, splitBatches, type WorkerView } from '../../../coordinator/decisions/owners.js';

const worker = (workerId: string, ready: boolean, ...holding: number[]): WorkerView => ({
  workerId,
  ready,
  holding: new Set(holding),
});

describe('who computes a shard', () => {
  const assigned = new Map([
    ['a', [0, 1]],
    ['b', [2]],
  ]);
  it.each<[string, WorkerView[], (string | undefined)[]]>([
    ['its assigned worker, which has the data', [worker('a', true, 0, 1), worker('b', true, 2)], ['a', 'a', 'b']],
    [
      'whoever has the data until the assigned one has it',
      [worker('a', true, 0, 1, 2), worker('b', true)],
      ['a', 'a', 'a'],
    ],
    ['the assigned worker when nobody has the data', [worker('a', true, 0), worker('b', true)], ['a', 'a', 'b']],
    [
      'nobody who is not ready, even with the data',
      [worker('a', false, 0, 1), worker('b', true, 2)],
      [undefined, undefined, 'b'],
    ],
    [
      'the assigned worker though another has the data too',
      [worker('b', true, 0, 1, 2), worker('a', true, 0, 1)],
      ['a', 'a', 'b'],
    ],
    [
      'a worker without assignment that has the data, while the assigned one is gone',
      [worker('c', true, 2), worker('a', true, 0, 1)],
      ['a', 'a', 'c'],
    ],
    ['nobody without workers', [], [undefined, undefined, undefined]],
  ])('is %s', (_, workers, owners) => {
    expect(decideOwners(3, assigned, workers)).toEqual(owners);
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
