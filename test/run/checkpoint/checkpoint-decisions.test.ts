import { describe, expect, it } from 'vitest';
import {
  bestStep,
  checkpointName,
  checkpointSteps,
  decideCheckpoint,
  decideDue,
  decideRemoval,
} from '../../../run/checkpoint/checkpoint-decisions.js';

describe('the name of a checkpoint', () => {
  it('gives its step back, in order, also beyond eight digits; other files are ignored', () => {
    const names = [1_234_567_890, 21, 0].map(checkpointName);
    expect(names).toEqual(['step-1234567890.safetensors', 'step-00000021.safetensors', 'step-00000000.safetensors']);
    const others = ['step-00000030.safetensors.17.part', 'step-3.safetensors', 'notes.txt'];
    expect(checkpointSteps([...names, ...others])).toEqual([0, 21, 1_234_567_890]);
  });
});

describe('decideDue', () => {
  it.each([
    [20, 10, undefined, 'write'],
    [25, 10, undefined, 'none'],
    [21, 10, undefined, 'write'],
    [42, 0, undefined, 'write'],
    [20, 0, undefined, 'none'],
    [20, 10, 10, 'skip'],
    [21, 10, 20, 'write'],
  ] as const)('after step %i, every %i, with %s being written: %s', (step, everySteps, writing, action) => {
    expect(decideDue({ step, everySteps, writing, stepsPerEpoch: 21 }).action).toBe(action);
  });

  it('names the skipped checkpoint and the one being written', () => {
    expect(decideDue({ step: 20, everySteps: 10, writing: 10, stepsPerEpoch: 21 }).reason).toBe(
      'checkpoint of step 20 skipped: that of step 10 is still being written',
    );
  });
});

describe('decideRemoval', () => {
  it.each<[string, number[], number | undefined, number[]]>([
    ['the first and the last two', [0, 10, 20, 30], undefined, [10]],
    ['the best as well', [0, 10, 20, 30, 40], 10, [20]],
    ['nothing too much when the best is among the last', [40, 0, 30, 20], 40, [20]],
    ['all there is at the start', [0], undefined, []],
  ])('keeps %s', (_, steps, best, removed) => {
    expect(decideRemoval(steps, best)).toEqual(removed);
  });
});

describe('bestStep', () => {
  it('is that of the most correct answers, the first of equals, or none', () => {
    const evaluations = [
      { step: 21, correct: 5 },
      { step: 42, correct: 9 },
      { step: 63, correct: 9 },
    ];
    expect(bestStep(evaluations)).toBe(42);
    expect(bestStep([])).toBeUndefined();
  });
});

describe('decideCheckpoint', () => {
  it('takes the newest', () => {
    expect(decideCheckpoint([0, 40, 20], new Map())).toEqual({ step: 40, reason: 'newest intact checkpoint: 40' });
  });

  it('skips damaged ones and gives the reason', () => {
    expect(decideCheckpoint([0, 20, 40], new Map([[40, 'cut off']]))).toEqual({
      step: 20,
      reason: 'newest intact checkpoint: 20; step-00000040.safetensors skipped: cut off',
    });
  });

  it('takes none when all are damaged, or there are none', () => {
    expect(decideCheckpoint([0], new Map([[0, 'cut off']]))).toEqual({
      step: undefined,
      reason: 'no intact checkpoint among 1; step-00000000.safetensors skipped: cut off',
    });
    expect(decideCheckpoint([], new Map()).step).toBeUndefined();
  });
});
