import { describe, expect, it } from 'vitest';
import { decideExtraThreads } from '../../../../coordinator/stepping/decisions/idle-cores.js';

/** Workers a, b, … with that many shards each, on one host by default. */
function wide(shards: readonly number[], cores: number | readonly number[], hosts: readonly string[] = []): number[] {
  const coresOf = (i: number) => (typeof cores === 'number' ? cores : cores[i]!);
  const workers = shards.map((count, i) => ({
    workerId: String(i),
    host: hosts[i] ?? 'here',
    cores: coresOf(i),
    shards: count,
  }));
  return [...decideExtraThreads(workers).values()];
}

describe('a worker gets extra threads', () => {
  it.each<[string, readonly number[], number, readonly number[]]>([
    ['its third shard, when the only other one has two', [3, 2], 2, [1, 0]],
    ['all shards, when it is alone', [5], 2, [5]],
    ['none, when all have as many', [2, 2], 2, [0, 0]],
    ['all shards, when there are two cores for each', [2, 2], 4, [2, 2]],
    ['the later shards, as the others run out of theirs', [3, 2, 1], 4, [2, 1, 0]],
    ['none, where cores are not shared', [3, 2], 1, [0, 0]],
    ['none, where it cannot', [3, 0], 0, [0, 0]],
  ])('%s', (_, shards, cores, expected) => expect(wide(shards, cores)).toEqual(expected));

  it('whatever workers of other hosts do', () => {
    expect(wide([2, 2], 2, ['a', 'b'])).toEqual([2, 2]);
  });

  it('only if it supports them', () => {
    expect(wide([3, 3, 1], [4, 0, 4])).toEqual([2, 0, 0]);
  });
});
