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

/** An evaluation with what else is kept of it: a line of `evaluations.jsonl`. */
export interface EvaluationEntry {
  readonly record: EvaluationRecord;
  readonly testRows: readonly TestRow[];
  readonly durationMs: number;
}

/** One link of the digest chain: a line of `digests.jsonl`. */
export interface DigestEntry {
  /** From 1. */
  readonly epoch: number;
  /** Committed updates. */
  readonly step: number;
  readonly digest: string;
}

/** One of the last test images, as the lecture prints them. */
export interface TestRow {
  /** Index in the test set. */
  readonly index: number;
  readonly logProbabilities: readonly number[];
  readonly predicted: number;
  readonly label: number;
}

/** What a run has to tell besides its steps. */
export interface RunCounts {
  /** Shard-steps that were computed twice on purpose. */
  readonly audited: number;
  /** Nodes that were given to a second worker because the first was late. */
  readonly speculated: number;
  /** Results of two workers for the same shards that differ in a bit. */
  readonly faults: number;
  /** Steps left out because their gradients were not finite. */
  readonly skipped: number;
}

/** What a run has recorded, in order. */
export interface RunHistorySoFar {
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationEntry[];
  readonly digests: readonly DigestEntry[];
}
