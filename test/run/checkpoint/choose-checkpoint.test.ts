import { describe, expect, it } from 'vitest';
import { chooseCheckpoint, parseCheckpointWish } from '../../../run/checkpoint/choose-checkpoint.js';

const choice = {
  steps: [0, 20, 35, 40],
  evaluations: [
    { step: 10, correct: 5 },
    { step: 20, correct: 9 },
    { step: 40, correct: 9 },
  ],
  stepsPerEpoch: 10,
};

describe('the selected state of a run', () => {
  it.each([
    ['last', 40],
    ['best', 20],
    ['epoch:2', 20],
    ['epoch:0', 0],
    ['step:35', 35],
  ])('by %s is the checkpoint of step %i', (text, step) => {
    expect(chooseCheckpoint(parseCheckpointWish(text), choice)).toEqual({ step });
  });

  it('that is not kept is named, with those that are', () => {
    expect(chooseCheckpoint({ epoch: 3 }, choice)).toEqual({
      problem:
        'expected a checkpoint of step 30, got checkpoints of steps 0 (epoch 0), 20 (epoch 2), 35, 40 (epoch 4); ' +
        'only the first, last two and best are kept',
    });
    expect(chooseCheckpoint('best', { ...choice, evaluations: [] })).toEqual({
      problem: expect.stringMatching(/^expected an evaluation, to find the best, got checkpoints of steps 0/) as string,
    });
    expect(chooseCheckpoint('last', { ...choice, steps: [] })).toEqual({
      problem: 'expected checkpoints, got none; train the job first',
    });
  });

  it.each(['', 'first', 'epoch:', 'epoch:-1', 'step:1.5', 'epoch:2 ', 'steps:2'])('cannot be named %j', (text) => {
    expect(() => parseCheckpointWish(text)).toThrow('--checkpoint: expected last, best, epoch:N or step:N');
  });
});
