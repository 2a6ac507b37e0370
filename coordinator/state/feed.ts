import type { RunState } from './events.js';
import type { DigestEntry, EvaluationRecord } from '../../run/records.js';
import type { WorkerStatus } from '../../proto/messages.js';

/** JSON of the live page. The browser's code imports these types too. */

/** Points of curves: step, value, step, value, … in order of step. They replace all points from `from` on. */
export interface CurvePoints {
  /** Index of a step. */
  readonly from: number;
  readonly loss: readonly number[];
  /** The lecture's 10-step running mean, at the last step that it covers. */
  readonly meanLoss: readonly number[];
  /** Training accuracy, a share of 0 to 1. */
  readonly accuracy: readonly number[];
  readonly meanAccuracy: readonly number[];
  readonly learningRate: readonly number[];
  /** Images per second over 10 steps. */
  readonly speed: readonly number[];
}

/** Colour of a row in the list of events. */
export type EventTone = 'plain' | 'good' | 'warning' | 'bad';

export interface EventEntry {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly tone: EventTone;
  readonly text: string;
}

/** An evaluation as a point of a curve. */
export type EvaluationPoint = Omit<EvaluationRecord, 'confusion'>;

/** A worker, with the reason why the step is waiting for it. */
export interface WorkerRow extends WorkerStatus {
  readonly waitedFor?: string;
}

/** Current status of a run. */
export interface LiveStatus {
  readonly state: RunState;
  readonly reason: string;
  /** Committed updates. */
  readonly step: number;
  /** Epoch in progress, from 1. */
  readonly epoch: number;
  /** Means of the last 10 steps; absent before them. */
  readonly means?: { readonly loss: number; readonly accuracy: number; readonly imagesPerSecond: number };
  readonly learningRate?: number;
  /** At the recent pace, without evaluations; absent before this start's first step and after the last. */
  readonly secondsLeft?: number;
  readonly faults: number;
  readonly skipped: number;
  readonly workers: readonly WorkerRow[];
  /** True once `/report/` exists. */
  readonly report: boolean;
}

/** Changes since an earlier update. */
export interface RunUpdate {
  /** Position of this update; a client sends it to get later changes. */
  readonly cursor: string;
  /** The update is complete and replaces the client's state. */
  readonly whole: boolean;
  readonly status: LiveStatus;
  readonly curves: CurvePoints;
  readonly events: readonly EventEntry[];
  readonly evaluations: readonly EvaluationPoint[];
  /** Of the newest evaluation, if it is new. */
  readonly confusion?: readonly (readonly number[])[];
  /** True if the newest evaluation has pictures. */
  readonly hasPictures: boolean;
  readonly digests: readonly DigestEntry[];
}

/** The constant properties of a run. */
export interface RunDescription {
  readonly name: string;
  readonly model: string;
  readonly parameterCount: number;
  readonly dataset: {
    readonly title: string;
    readonly synthetic: boolean;
    readonly classes: readonly string[];
    /** `[H, W, C]` */
    readonly imageShape: readonly [number, number, number];
  };
  readonly shards: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** The run directory; absolute. */
  readonly path: string;
}

/** `GET /api/run` */
export interface WholeRun {
  readonly run: RunDescription;
  readonly update: RunUpdate;
}

/** A test image with the model's prediction. */
export interface PictureEntry {
  /** Index in the test set. */
  readonly index: number;
  readonly actual: number;
  readonly predicted: number;
  /** Predicted probability of `predicted`, 0 to 1. */
  readonly confidence: number;
}

/** `GET /api/images`: predictions of the newest evaluation, most confident first. */
export interface PictureList {
  /** Committed updates at the time of the evaluation. */
  readonly step: number;
  /** Number of all pictures of this kind. */
  readonly total: number;
  readonly pictures: readonly PictureEntry[];
}

/** Limits of lists that grow with the run: the oldest events and digests, and every other evaluation, are dropped. */
export const limits = { events: 200, digests: 1000, evaluations: 2000 };

/** The list without every other entry if it is too long; keeps the first and the last. */
export function thinned<Entry>(list: readonly Entry[], limit: number): readonly Entry[] {
  return list.length <= limit ? list : list.filter((_, i) => i % 2 === 0 || i === list.length - 1);
}
