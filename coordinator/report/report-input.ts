import type { EngineInfo } from '../../engine/engine.js';
import type { JobSpec } from '../../job/spec.js';
import type { EvaluationRecord, StepRecord, TestRow } from '../records.js';

/** Everything a finished (or stopped) run knows that the report shows. */
export interface ReportInput {
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
  /** The last four test images at the last evaluation. */
  readonly lastTestRows: readonly TestRow[];
  readonly engine: EngineInfo;
  readonly workers: number;
  /** Wall time of the training, evaluations included, in seconds. */
  readonly seconds: number;
  readonly outcome: 'finished' | 'stopped';
  /** Digest of the final parameters, optimizer state and running statistics; hexadecimal SHA-256. */
  readonly finalDigest: string;
}
