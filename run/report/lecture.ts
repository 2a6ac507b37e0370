/** A test result printed on the lecture's slides. */
export interface LectureResult {
  readonly network: string;
  readonly epochs: number;
  /** Average negative log-likelihood over the test set. */
  readonly loss: number;
  readonly correct: number;
  readonly total: number;
}

/**
 * The figures of the lecture whose CIFAR-10 networks Lockstep trains, as its slides print them. Reports show
 * them for comparison; nothing is computed from them.
 */
export const lecture = {
  cnn4: { network: '4 convolutions', epochs: 100, loss: 2.3917, correct: 7285, total: 10_000 } satisfies LectureResult,
  cnn3: { network: '3 convolutions', epochs: 100, loss: 1.0609, correct: 6285, total: 10_000 } satisfies LectureResult,
  /** Lengths of the lecture's array of 10-step running means. */
  runningMeanLengths: [
    { epochs: 10, length: 10_201 },
    { epochs: 100, length: 102_091 },
  ],
  progressLine: 'Train Epoch: 10 [49000/50000 (98%)]  Loss: 0.663238',
  /** Labels of the last four test images, and the predictions of the lecture's network. */
  lastLabels: [3, 5, 1, 7],
  lastPredictions: [3, 5, 0, 7],
} as const;
