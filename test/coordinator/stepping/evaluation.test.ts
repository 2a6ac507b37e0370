import { describe, expect, it } from 'vitest';
import { lastRows, scoreRows } from '../../../coordinator/stepping/evaluation.js';

/** Log-probabilities of four images and three classes; exact in f32. */
const rows = Float32Array.of(...[-0.25, -2, -4], ...[-3, -0.5, -1], ...[-1.5, -0.75, -0.75], ...[-2, -3, -0.125]);
const labels = Uint8Array.of(0, 2, 1, 2);

describe('scoring rows', () => {
  const at = { step: 205, epoch: 1 };

  it('gives mean loss, correct count and the confusion matrix by actual, then predicted class', () => {
    expect(scoreRows(rows, labels, 3, at)).toEqual({
      step: 205,
      epoch: 1,
      loss: (0.25 + 1 + 0.75 + 0.125) / 4,
      correct: 3,
      total: 4,
      confusion: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 1, 1],
      ],
    });
  });

  it('predicts the first class of several equally probable ones', () => {
    const { confusion, correct } = scoreRows(Float32Array.of(-1, -1, -1), Uint8Array.of(2), 3, at);
    expect(correct).toBe(0);
    expect(confusion[2]).toEqual([1, 0, 0]);
  });

  it('reports NaN, not a good loss, for non-finite rows', () => {
    expect(scoreRows(Float32Array.of(NaN, NaN), Uint8Array.of(1), 2, at)).toMatchObject({ loss: NaN, correct: 0 });
  });
});

describe('the last rows', () => {
  it('are those of the last images with index, prediction and label', () => {
    expect(lastRows(rows, labels, 3, 2)).toEqual([
      { index: 2, logProbabilities: [-1.5, -0.75, -0.75], predicted: 1, label: 1 },
      { index: 3, logProbabilities: [-2, -3, -0.125], predicted: 2, label: 2 },
    ]);
  });

  it('are all of them in a smaller test set', () => {
    expect(lastRows(rows, labels, 3, 9).map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });
});
