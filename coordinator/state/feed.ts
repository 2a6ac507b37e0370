import type { RunState } from './events.js';
import type { DigestEntry, EvaluationRecord } from '../../run/records.js';
import type { WorkerStatus } from '../../proto/messages.js';

/** What the coordinator tells the page, as JSON. Types only: the page imports them too. */

/** Points of curves: step, value, step, value, … in order of step. They replace all points from `from` on. */
export interface CurvePoints {
  /** Index of a step. */
  readonly from: number;
  readonly loss: readonly number[];
  /** The lecture's 10-step running mean, each at the last step that it covers. */
  readonly meanLoss: readonly number[];
  /** Training accuracy, a share of 0 to 1. */
  readonly accuracy: readonly number[];
  readonly meanAccuracy: readonly number[];
  readonly learningRate: readonly number[];
  /** Images per second over 10 steps. */
  readonly speed: readonly number[];
}

/** How a line of the list of events is shown. */
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

/** A worker with what it is waited for, if it is. */
export interface WorkerRow extends WorkerStatus {
  readonly waitedFor?: string;
}

/** How the run is doing at this moment. */
export interface LiveStatus {
  readonly state: RunState;
  readonly reason: string;
  /** Committed updates. */
  readonly step: number;
  /** In progress, from 1. */
  readonly epoch: number;
  /** Means of the last 10 steps; absent before them. */
  readonly means?: { readonly loss: number; readonly accuracy: number; readonly imagesPerSecond: number };
  readonly learningRate?: number;
  /** At the recent pace, in steps alone; absent before this start's first and after the last. */
  readonly secondsLeft?: number;
  readonly faults: number;
  readonly skipped: number;
  readonly workers: readonly WorkerRow[];
  /** Whether `/report/` is there. */
  readonly report: boolean;
}

/** What is new since an earlier update. */
export interface RunUpdate {
  /** Name of this update; a client that has it asks for what came after it. */
  readonly cursor: string;
  /** This is everything there is; it replaces what the client has. */
  readonly whole: boolean;
  readonly status: LiveStatus;
  readonly curves: CurvePoints;
  readonly events: readonly EventEntry[];
  readonly evaluations: readonly EvaluationPoint[];
  /** Of the newest evaluation, if that is new. */
  readonly confusion?: readonly (readonly number[])[];
  /** Whether there are pictures for the newest evaluation. */
  readonly hasPictures: boolean;
  readonly digests: readonly DigestEntry[];
}

/** What does not change while the run goes on. */
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

/** A test image with the model's answer. */
export interface PictureEntry {
  /** Index in the test set. */
  readonly index: number;
  readonly actual: number;
  readonly predicted: number;
  /** Probability that the model gives its answer, 0 to 1. */
  readonly confidence: number;
}

/** `GET /api/images`: answers of the newest evaluation, the most confident first. */
export interface PictureList {
  /** Updates when it was taken. */
  readonly step: number;
  /** How many there are of this kind. */
  readonly total: number;
  readonly pictures: readonly PictureEntry[];
}

/** Lists that grow with the run are cut to this: older events and digests, every other evaluation. */
export const limits = { events: 200, digests: 1000, evaluations: 2000 };

/** The list without every other entry if it is too long; the first and the last stay. */
export function thinned<Entry>(list: readonly Entry[], limit: number): readonly Entry[] {
  return list.length <= limit ? list : list.filter((_, i) => i % 2 === 0 || i === list.length - 1);
}
