/** One committed step: a row of `steps.csv`. */
export interface StepRecord {
  /** Index of the update, from 0. */
  readonly step: number;
  /** From 1, as the lecture counts. */
  readonly epoch: number;
  /** Samples of all shards together. */
  readonly samples: number;
  /** Mean loss over the step's samples, before the update. */
  readonly loss: number;
  /** How many of the samples were classified correctly, before the update. */
  readonly correct: number;
  readonly learningRate: number;
  /** Wall time from sending the parameters to the update being complete. */
  readonly durationMs: number;
  /** Workers that contributed. */
  readonly workers: number;
}

/** The model's answers on the whole test set, after some step. */
export interface EvaluationRecord {
  /** Committed updates when it was taken. */
  readonly step: number;
  /** Complete epochs when it was taken. */
  readonly epoch: number;
  /** Mean negative log-likelihood over the test set. */
  readonly loss: number;
  readonly correct: number;
  readonly total: number;
  /** `confusion[actual][predicted]`, counts of test images. */
  readonly confusion: readonly (readonly number[])[];
}

/** One of the last test images, as the lecture prints them. */
export interface TestRow {
  /** Index in the test set. */
  readonly index: number;
  readonly logProbabilities: readonly number[];
  readonly predicted: number;
  readonly label: number;
}
