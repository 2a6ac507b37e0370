/** A committed step: a row of `steps.csv`. */
export interface StepRecord {
  /** Index of the update, from 0. */
  readonly step: number;
  /** From 1, as in the lecture. */
  readonly epoch: number;
  /** Samples of all shards together. */
  readonly samples: number;
  /** Mean loss over the step's samples, before the update. */
  readonly loss: number;
  /** Samples classified correctly, before the update. */
  readonly correct: number;
  readonly learningRate: number;
  /** Wall time from sending the parameters to the update being complete. */
  readonly durationMs: number;
  /** Workers that contributed. */
  readonly workers: number;
}

/** Result of an evaluation on the whole test set. */
export interface EvaluationRecord {
  /** Committed updates at that time. */
  readonly step: number;
  /** Complete epochs at that time. */
  readonly epoch: number;
  /** Mean negative log-likelihood over the test set. */
  readonly loss: number;
  readonly correct: number;
  readonly total: number;
  /** `confusion[actual][predicted]`, counts of test images. */
  readonly confusion: readonly (readonly number[])[];
}

/** An evaluation with its last rows and duration: a line of `evaluations.jsonl`. */
export interface EvaluationEntry {
  readonly record: EvaluationRecord;
  readonly testRows: readonly TestRow[];
  readonly durationMs: number;
}

/** An entry of the digest chain: a line of `digests.jsonl`. */
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

/** Counts of exceptional events in a run. */
export interface RunCounts {
  /** Shard-steps computed by two workers for comparison. */
  readonly audited: number;
  /** Tree nodes that a backup computed for a straggler. */
  readonly speculated: number;
  /** Pairs of results for the same shards that differ in a bit. */
  readonly faults: number;
  /** Steps skipped because their gradients were not finite. */
  readonly skipped: number;
}

/** Records of a run, in order. */
export interface RecordedHistory {
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationEntry[];
  readonly digests: readonly DigestEntry[];
}
