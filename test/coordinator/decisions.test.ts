import { describe, expect, it } from 'vitest';
import {
  decideEngine,
  decideLost,
  decideOwners,
  decideStart,
  splitBatches,
  type WorkerView,
} from '../../coordinator/decisions.js';

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

describe('whether a worker has the engine of the run', () => {
  const run = { engine: 'onnx', engineVersion: 'ort 1.30.0', device: 'cpu', lowering: 'nchwc8', threads: 1 };

  it('is so when all that decides bits is equal', () => {
    expect(decideEngine(run, { ...run }, 'w1')).toBeUndefined();
  });

  it.each([
    ['engine', { engine: 'tensorflow' }, 'tensorflow (ort 1.30.0, cpu, nchwc8, 1 thread(s))'],
    ['version', { engineVersion: 'ort 1.29.0' }, 'onnx (ort 1.29.0, cpu, nchwc8, 1 thread(s))'],
    ['device', { device: 'cuda' }, 'onnx (ort 1.30.0, cuda, nchwc8, 1 thread(s))'],
    ['lowering', { lowering: 'nchwc16' }, 'onnx (ort 1.30.0, cpu, nchwc16, 1 thread(s))'],
    ['threads', { threads: 2 }, 'onnx (ort 1.30.0, cpu, nchwc8, 2 thread(s))'],
  ])('is not so when its %s differs, and both are named', (_, change, found) => {
    expect(decideEngine(run, { ...run, ...change }, 'w1')).toBe(
      'join: expected engine onnx (ort 1.30.0, cpu, nchwc8, 1 thread(s)), as the run began with, ' +
        `got ${found} from worker w1; ` +
        'run one kind of machine and one Lockstep version, or set engine.lowering to portable',
    );
  });
});

describe('whether a run starts', () => {
  it.each([
    [2, 2, 2, true, '2 workers ready'],
    [3, 3, 2, true, '3 workers ready'],
    [1, 1, 2, false, 'waiting for workers: 1 of 2 ready'],
    [0, 2, 2, false, 'waiting for workers: 0 of 2 ready, 2 compiling'],
    [0, 0, 1, false, 'waiting for workers: 0 of 1 ready'],
  ])('with %i ready of %i joined and %i wanted: %s', (ready, joined, wanted, start, reason) => {
    expect(decideStart(ready, joined, wanted)).toEqual({ start, reason });
  });
});
