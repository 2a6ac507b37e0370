import { describe, expect, it } from 'vitest';
import {
  decideBackups,
  overdueAfterMs,
  type MissingNode,
  type BackupInput,
  UsualTime,
} from '../../../../coordinator/stepping/decisions/stragglers.js';

const leaf = (first: number) => ({ first, count: 1 });
const missing = (first: number, ...workerIds: string[]): MissingNode => ({
  node: leaf(first),
  items: [first],
  workerIds,
});
const idle = (workerId: string, ...holding: number[]) => ({ workerId, holding: new Set(holding) });

describe('the usual time of a step', () => {
  it('is unknown until five steps are known, and then their median', () => {
    const usual = new UsualTime();
    for (const ms of [30, 9_000, 31, 29]) usual.add(ms);
    expect(usual.medianMs()).toBeUndefined();
    usual.add(32);
    expect(usual.medianMs()).toBe(31);
  });

  it('follows the last fifty steps, and starts over when it is cleared', () => {
    const usual = new UsualTime();
    for (let i = 0; i < 100; i++) usual.add(10);
    for (let i = 0; i < 26; i++) usual.add(40);
    expect(usual.medianMs()).toBe(40);
    usual.clear();
    expect(usual.medianMs()).toBeUndefined();
  });
});

describe('a step is overdue', () => {
  it.each([
    [0, 500],
    [30, 530],
    [250, 750],
    [1_000, 3_000],
  ])('if it usually takes %i ms: after %i ms', (usualMs, lateMs) => expect(overdueAfterMs(usualMs)).toBe(lateMs));
});

describe('backup computations', () => {
  const late = { nowMs: 9_999, usualMs: 30 };
  type Case = Pick<BackupInput, 'nowMs' | 'usualMs' | 'missing' | 'idle'> & { readonly moving?: string[] };
  it.each<[string, Case, [number, string, string][]]>([
    [
      'nothing before the step is late',
      { ...late, nowMs: 1_530, missing: [missing(0, 'a')], idle: [idle('b', 0)] },
      [],
    ],
    [
      'the missing shard, once it is late',
      { ...late, nowMs: 1_531, missing: [missing(0, 'a')], idle: [idle('b', 0)] },
      [[0, 'a', 'b']],
    ],
    [
      'nothing for 10 s while the usual time is unknown',
      { nowMs: 11_000, usualMs: undefined, missing: [missing(0, 'a')], idle: [idle('b', 0)] },
      [],
    ],
    [
      'the missing shard, after 10 s of an unknown usual time',
      { nowMs: 11_001, usualMs: undefined, missing: [missing(0, 'a')], idle: [idle('b', 0)] },
      [[0, 'a', 'b']],
    ],
    [
      'nothing whose data are moving while the usual time is unknown, for 30 s',
      { nowMs: 31_000, usualMs: undefined, missing: [missing(0, 'a')], idle: [idle('b', 0)], moving: ['a'] },
      [],
    ],
    [
      'the missing shard, though its data are moving, once they have for 30 s',
      { nowMs: 31_001, usualMs: undefined, missing: [missing(0, 'a')], idle: [idle('b', 0)], moving: ['a'] },
      [[0, 'a', 'b']],
    ],
    [
      'the missing shard of a usual step though its data are moving',
      { ...late, missing: [missing(0, 'a')], idle: [idle('b', 0)], moving: ['a'] },
      [[0, 'a', 'b']],
    ],
    ['nothing without an idle worker', { ...late, missing: [missing(0, 'a')], idle: [] }, []],
    ['nothing that two have already', { ...late, missing: [missing(0, 'a', 'c')], idle: [idle('b', 0)] }, []],
    ['nothing that nobody was told to do', { ...late, missing: [missing(0)], idle: [idle('b', 0)] }, []],
    [
      'by the worker that has the data, though another is first',
      { ...late, missing: [missing(1, 'a')], idle: [idle('b', 0), idle('c', 1)] },
      [[1, 'a', 'c']],
    ],
    [
      'by one that must fetch the data, if nobody has it',
      { ...late, missing: [missing(1, 'a')], idle: [idle('b', 0)] },
      [[1, 'a', 'b']],
    ],
    [
      'one node by each idle worker',
      {
        ...late,
        missing: [missing(0, 'a'), missing(1, 'a'), missing(2, 'd')],
        idle: [idle('b', 0, 1, 2), idle('c', 0)],
      },
      [
        [0, 'a', 'b'],
        [1, 'a', 'c'],
      ],
    ],
  ])('is %s', (_, input, given) => {
    const decided = decideBackups({ beginMs: 1_000, ...input, moving: new Set(input.moving) });
    expect(decided.map(({ node, from, to }) => [node.first, from, to])).toEqual(given);
  });

  it('needs all shards of a node to count as holding it', () => {
    const node = { first: 0, count: 2 };
    const free = [idle('b', 0), idle('c', 0, 1)];
    const input = {
      nowMs: 9_999,
      beginMs: 0,
      usualMs: 10,
      missing: [{ node, items: [0, 1], workerIds: ['a'] }],
      idle: free,
      moving: new Set<string>(),
    };
    expect(decideBackups(input)).toEqual([{ node, items: [0, 1], from: 'a', to: 'c' }]);
  });
});
