import type { JobSpec } from '../../job/spec.js';
import type { RunEngine } from '../run-json.js';
import type { DigestEntry, EvaluationRecord, RunCounts, StepRecord, TestRow } from '../records.js';

/** Data of a finished or stopped run for its report. */
export interface ReportInput extends RunEngine {
  readonly spec: JobSpec;
  readonly jobDigest: string;
  readonly dataset: {
    /** e.g. `CIFAR-10 (JPEG copy)`; repeated wherever a number appears. */
    readonly title: string;
    readonly synthetic: boolean;
    readonly classes: readonly string[];
    readonly digest: string;
  };
  readonly parameterCount: number;
  readonly stepsPerEpoch: number;
  readonly steps: readonly StepRecord[];
  /** In order of step; the last one is the final evaluation if `outcome` is `finished`. */
  readonly evaluations: readonly EvaluationRecord[];
  /** The digest chain so far. */
  readonly digests: readonly DigestEntry[];
  /** The last four test images at the last evaluation. */
  readonly lastTestRows: readonly TestRow[];
  /** Numerics faults, skipped steps and similar events since the coordinator's start; absent if unknown. */
  readonly counts?: RunCounts;
  /** Largest number of workers that contributed to one step. */
  readonly workers: number;
  /** Time of the training over all starts of the coordinator, evaluations and repeated steps included, in seconds. */
  readonly seconds: number;
  readonly outcome: 'finished' | 'stopped';
  /** Digest of the final parameters, optimizer state and running statistics; hexadecimal SHA-256. */
  readonly finalDigest: string;
}
