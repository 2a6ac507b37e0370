import { describe, expect, test } from 'vitest';
import { cellStrength, classAccuracies, mostConfused } from '../../../run/report/confusion.js';
import { lecture } from '../../../run/report/lecture.js';
import { runningMean } from '../../../run/report/running-mean.js';
import { summarise } from '../../../run/report/summary.js';
import { sampleConfusion, sampleInput } from './sample.js';

describe('running mean', () => {
  test('averages every window of neighbours', () => {
    expect([...runningMean([1, 2, 3, 4, 6], 3)]).toEqual([2, 3, 13 / 3]);
  });

  test('has the lengths of the lecture for 10 and 100 epochs of 1,021 steps', () => {
    for (const { epochs, length } of lecture.runningMeanLengths) {
      expect(runningMean(new Float32Array(1021 * epochs)).length).toBe(length);
    }
  });

  test('is empty with fewer values than its window, and one value with exactly as many', () => {
    expect([...runningMean([1, 2, 3, 4, 5, 6, 7, 8, 9])]).toEqual([]);
    expect([...runningMean([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])]).toEqual([5.5]);
  });

  test('does not carry rounding errors from large losses into small ones', () => {
    const losses = [...Array.from({ length: 100 }, () => 1e12 / 3), ...Array.from({ length: 20 }, () => 0.1)];
    expect(runningMean(losses).at(-1)).toBeCloseTo(0.1, 15);
  });
});

describe('confusion matrix', () => {
  const small = [
    [8, 1, 1],
    [3, 6, 0],
    [0, 0, 0],
  ];

  test('gives each class the share of its images on the diagonal, and none to a class without images', () => {
    expect(classAccuracies(small)).toEqual([
      { correct: 8, total: 10, accuracy: 0.8 },
      { correct: 6, total: 9, accuracy: 6 / 9 },
      { correct: 0, total: 0, accuracy: NaN },
    ]);
  });

  test('lists the most frequent mistakes first, never a correct answer or a mistake that was not made', () => {
    expect(mostConfused(small, 5)).toEqual([
      { actual: 1, predicted: 0, count: 3, share: 3 / 9 },
      { actual: 0, predicted: 1, count: 1, share: 0.1 },
      { actual: 0, predicted: 2, count: 1, share: 0.1 },
    ]);
    expect(mostConfused(sampleConfusion, 1)).toEqual([{ actual: 3, predicted: 5, count: 186, share: 0.186 }]);
  });

  test('colours a cell by the square root of its share, an empty row not at all', () => {
    expect(cellStrength(1, [1, 3])).toBe(0.5);
    expect(cellStrength(0, [0, 0])).toBe(0);
  });
});

describe('summary', () => {
  const step = (index: number, samples: number, loss: number, correct: number) => ({
    ...{ step: index, epoch: Math.floor(index / 2) + 1, samples, loss, correct },
    ...{ learningRate: 0.1 / (index + 1), durationMs: 500, workers: 2 },
  });
  const evaluation = { step: 2, epoch: 1, loss: 1.5, correct: 2, total: 3, confusion: [[2, 1]] };
  const input = sampleInput({
    stepsPerEpoch: 2,
    steps: [step(0, 30, 2, 3), step(1, 10, 1, 5), step(2, 30, 0.5, 20)],
    evaluations: [evaluation, { ...evaluation, step: 3 }],
  });

  test('weighs the losses of an epoch by their samples and takes its last learning rate', () => {
    const [first] = summarise(input).epochs;
    expect(first).toEqual({
      ...{ epoch: 1, steps: 2, samples: 40, loss: 1.75, correct: 8, learningRate: 0.05, seconds: 1 },
      test: evaluation,
    });
  });

  test('gives an incomplete epoch its own row without the evaluation that was made inside it', () => {
    const [, second] = summarise(input).epochs;
    expect(second).toMatchObject({ epoch: 2, steps: 1, samples: 30, test: undefined });
  });

  test('counts images per second of step time', () => {
    expect(summarise(input).rateSamplesPerSecond).toBeCloseTo(70 / 1.5, 12);
  });

  test('ends with the progress line of the last complete epoch, in the form of the lecture', () => {
    expect(summarise(input).progressLine).toBe('Train Epoch: 1 [0/40 (0%)]  Loss: 2.000000');
    const { steps } = sampleInput();
    const loss = steps[6 * 205 + 200]?.loss.toFixed(6);
    expect(summarise(sampleInput()).progressLine).toBe(`Train Epoch: 7 [49000/50000 (98%)]  Loss: ${loss}`);
  });

  test('is empty, not wrong, for a run without steps', () => {
    const { epochs, meanLosses, ...rest } = summarise(sampleInput({ steps: [], evaluations: [] }));
    expect([epochs.length, meanLosses.length]).toEqual([0, 0]);
    expect(rest).toEqual({
      ...{ steps: [], lastEvaluation: undefined, rateSamplesPerSecond: undefined, progressLine: undefined },
    });
  });
});
