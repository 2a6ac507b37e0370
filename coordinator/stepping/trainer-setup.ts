import type { TrainingState } from '../../job/digest.js';
import type { JobManifest } from '../../job/manifest.js';
import type { StepPlan } from '../../job/plan.js';
import type { Checkpoint } from '../../run/checkpoint/checkpoint-file.js';
import type { EvaluationEntry, TestRow } from '../../run/records.js';
import type { Roster } from '../membership/roster.js';
import type { RunEvents } from '../state/events.js';

/** Number of updates, and the digest chain up to the last complete epoch. */
interface StatePoint {
  readonly step: number;
  readonly chain: string;
}

/** Copies parameters, optimizer state and running statistics into a vector. @returns the time it took, in ms. */
type CopyState = (into: Float32Array) => Promise<number>;

/** Saves the training state at step boundaries. */
interface StateSaver {
  /** Saves the state if that is due. @returns a promise that the next step must await, if any. */
  atBoundary(at: StatePoint, copy: CopyState): Promise<void> | undefined;
  /** Writes a checkpoint on request. @returns its path. */
  saveNow(at: StatePoint, copy: CopyState): Promise<string>;
  /** Path of the newest complete checkpoint, for messages. */
  readonly lastPath: string | undefined;
}

export interface TrainerSetup {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly term: number;
  readonly initial: { readonly params: Float32Array; readonly state: Float32Array };
  /** State that a resumed run starts from, instead of `initial`. */
  readonly resume?: ResumePoint | undefined;
  /** Undefined for a run without a directory. */
  readonly saver?: StateSaver | undefined;
  /** Momentum of each running statistic, `[stateCount]`. */
  readonly momentum: Float32Array;
  readonly testLabels: Uint8Array;
  readonly roster: Roster;
  readonly events: RunEvents;
  /** Workers that the first step waits for. */
  readonly wantedWorkers: number;
  /** Longest time that it waits for them. */
  readonly startLimitMs: number;
  /** Called when enough workers are ready for the first step. @returns false to wait again, as some were rejected. */
  readonly beforeFirstStep: () => Promise<boolean>;
}

/** Checkpoint that a run resumes from. */
export interface ResumePoint extends Checkpoint {
  /** Last evaluation up to that checkpoint. */
  readonly evaluation?: EvaluationEntry | undefined;
}

/** Final state of a run that finished or was stopped. */
export interface TrainingResult {
  readonly outcome: 'finished' | 'stopped';
  readonly snapshot: TrainingState;
  readonly lastTestRows: readonly TestRow[];
  /** Digest chain up to the last complete epoch. */
  readonly chain: string;
  /** `chain` if finished, else the digest of the final state. */
  readonly finalDigest: string;
}
