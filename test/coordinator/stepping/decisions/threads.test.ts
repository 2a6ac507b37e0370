import { describe, expect, it } from 'vitest';
import { decideThreads } from '../../../../coordinator/stepping/decisions/threads.js';

/** Threads of workers 0, 1, … with that many shards each, on one host by default. */
function threads(
  shards: readonly number[],
  cores: number | readonly number[],
  { hosts = [], least = 1 }: { hosts?: readonly string[]; least?: number } = {},
): (readonly number[])[] {
  const workers = shards.map((count, i) => ({
    workerId: String(i),
    host: hosts[i] ?? 'here',
    cores: typeof cores === 'number' ? cores : cores[i]!,
    shards: count,
  }));
  return [...decideThreads(workers, least).values()];
}

describe('the threads of a worker are', () => {
  it.each<[string, readonly number[], number, number[][]]>([
    [
      'two for its third shard, when the only other worker has two',
      [3, 2],
      2,
      [
        [1, 1, 2],
        [1, 1],
      ],
    ],
    ['all cores, when it is alone', [2], 3, [[3, 3]]],
    [
      'one, when all have as many shards as cores',
      [2, 2],
      2,
      [
        [1, 1],
        [1, 1],
      ],
    ],
    [
      'two, when there are two cores for each',
      [2, 2],
      4,
      [
        [2, 2],
        [2, 2],
      ],
    ],
    ['more for the later shards, as the others finish theirs', [3, 2, 1], 4, [[1, 2, 4], [1, 2], [1]]],
    [
      'one, when cores are not shared',
      [3, 2],
      1,
      [
        [1, 1, 1],
        [1, 1],
      ],
    ],
    ['one at least, when there are more workers than cores', [1, 1, 1], 2, [[1], [1], [1]]],
    ['limited', [1], 1000, [[64]]],
  ])('%s', (_, shards, cores, expected) => expect(threads(shards, cores)).toEqual(expected));

  it('independent of other hosts', () => {
    expect(threads([2, 2], 2, { hosts: ['a', 'b'] })).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });

  it("never fewer than the job's", () => {
    expect(threads([2, 1], 2, { least: 2 })).toEqual([[2, 2], [2]]);
  });

  it('unchanged for a worker that keeps its number', () => {
    expect(threads([2, 2, 1], [4, 1, 4])).toEqual([[1, 2], [1, 1], [1]]);
  });
});
