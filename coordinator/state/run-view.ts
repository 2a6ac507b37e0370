import type { Split } from '../../data/dataset.js';
import type { JobManifest } from '../../job/manifest.js';
import type { StepPlan } from '../../job/plan.js';
import type { StatusReply } from '../../proto/messages.js';
import type { RecordedHistory } from '../../run/records.js';
import type { RunEvents } from './events.js';
import type { RunHistory } from './history.js';

/** A prepared run as its observers see it: page, metrics, TensorBoard, NATS. */
export interface RunView {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  /** The test set, whose images the page shows. */
  readonly test: Split;
  /** Data of a training shard; undefined once the training has ended. */
  readonly trainShard: (shard: number) => Split | undefined;
  /** Names the run across all its starts. */
  readonly runId: string;
  /** Counts the coordinator's starts on this run, from 1. */
  readonly term: number;
  /** The run directory. */
  readonly path: string;
  /** Reads the records of earlier starts, which may be long. */
  readonly before: () => Promise<RecordedHistory>;
  /** Summary of all starts; grows while the run trains. */
  readonly history: RunHistory;
}

/** Bytes of vectors and images exchanged with workers since this start, without the overhead of messages and gRPC. */
export interface TrafficCounts {
  readonly sent: Readonly<Record<'parameters' | 'evaluation' | 'dataset', number>>;
  readonly received: Readonly<Record<'gradients' | 'rows', number>>;
}

/** A coordinator as its observers see it. */
export interface ObservedRun {
  readonly events: RunEvents;
  readonly traffic: TrafficCounts;
  /** Resolves once the job is prepared and the run is on disk. @throws when preparing it fails. */
  view(): Promise<RunView>;
  /** Resolves like `view`, so that observers never see a state before its log has it. */
  status(): Promise<StatusReply>;
}
