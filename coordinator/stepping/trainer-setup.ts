import type { TrainingState } from '../../job/digest.js';
import type { JobManifest } from '../../job/manifest.js';
import type { StepPlan } from '../../job/plan.js';
import type { Checkpoint } from '../../run/checkpoint/checkpoint-file.js';
import type { Checkpoints } from '../persistence/checkpoints.js';
import type { RunEvents } from '../state/events.js';
import type { EvaluationEntry, TestRow } from '../../run/records.js';
import type { Roster } from '../membership/roster.js';

export interface TrainerSetup {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly term: number;
  readonly initial: { readonly params: Float32Array; readonly state: Float32Array };
  /** Where a run goes on that was under way before, instead of `initial`. */
  readonly resume?: ResumePoint | undefined;
  /** Called between two steps; the next one waits for what it returns. */
  readonly atBoundary?: Checkpoints['atBoundary'];
  /** Writes a checkpoint between two steps, on demand. @returns its path. */
  readonly saveNow?: Checkpoints['saveNow'];
  /** Momentum of each running statistic, `[stateCount]`. */
  readonly momentum: Float32Array;
  readonly testLabels: Uint8Array;
  readonly roster: Roster;
  readonly events: RunEvents;
  /** Workers that the first step waits for, and for how long. */
  readonly wantedWorkers: number;
  readonly startLimitMs: number;
  /** Called when enough workers are ready for the first step; false: some of them were refused, wait again. */
  readonly beforeFirstStep: () => Promise<boolean>;
  /** Path of the newest complete checkpoint, for messages. */
  readonly lastCheckpoint?: () => string | undefined;
}

/** A state to go on from, and what was known when it was taken. */
export interface ResumePoint extends Checkpoint {
  /** The last evaluation up to that state. */
  readonly evaluation?: EvaluationEntry | undefined;
}

/** What is left when the last step is done or the run was stopped. */
export interface TrainingResult {
  readonly outcome: 'finished' | 'stopped';
  readonly snapshot: TrainingState;
  readonly lastTestRows: readonly TestRow[];
  /** Link of the last complete epoch. */
  readonly chain: string;
  /** Last link of the digest chain if finished, else the digest of the state as it is. */
  readonly finalDigest: string;
}
