import type { Waiting } from './waiting.js';
import type { Predictions } from '../../run/predictions-csv.js';
import type { EvaluationRecord, StepRecord, TestRow } from '../../run/records.js';
import type { StepTiming } from './step-timing.js';

export type RunState =
  'waiting' | 'training' | 'paused' | 'evaluating' | 'reporting' | 'finished' | 'stopped' | 'failed';

/** True for final states. */
export function isEnd(state: string): boolean {
  return state === 'finished' || state === 'stopped' || state === 'failed';
}

/** An event of a run, for terminal, log and all other observers. */
export type RunEvent =
  | { readonly type: 'listening'; readonly address: string }
  | { readonly type: 'state'; readonly state: RunState; readonly reason: string }
  | {
      readonly type: 'worker';
      readonly change: 'joined' | 'ready' | 'lost' | 'left';
      readonly workerId: string;
      readonly reason: string;
    }
  | {
      readonly type: 'assignment';
      readonly generation: number;
      readonly shards: Readonly<Record<string, readonly number[]>>;
      readonly reason: string;
    }
  | { readonly type: 'step'; readonly record: StepRecord }
  /** Timing of a step, after its `step` or `skipped` event. */
  | { readonly type: 'timing'; readonly timing: StepTiming }
  /** A step is overdue; at most once per second. */
  | ({ readonly type: 'waiting' } & Waiting)
  | {
      readonly type: 'speculation';
      readonly step: number;
      readonly shards: readonly number[];
      /** The straggler and its backup. */
      readonly from: string;
      readonly to: string;
    }
  | {
      readonly type: 'fault';
      readonly kind: 'numerics';
      /** The worker whose result came first, and the one whose result differs from it. */
      readonly workers: readonly string[];
      readonly shards: readonly number[];
      readonly step: number;
    }
  /** A step whose gradients were not finite; it has no effect. */
  | { readonly type: 'skipped'; readonly step: number; readonly reason: string }
  | { readonly type: 'epoch'; readonly epoch: number; readonly step: number; readonly digest: string }
  | {
      readonly type: 'evaluation';
      readonly record: EvaluationRecord;
      /** The last test images, for the lecture's list. */
      readonly testRows: readonly TestRow[];
      /** Of every test image; valid until the next evaluation. */
      readonly predictions: Predictions;
      readonly durationMs: number;
    }
  | {
      readonly type: 'checkpoint';
      readonly step: number;
      readonly path: string;
      /** From copying the state until the file is durable. */
      readonly durationMs: number;
      /** Longest possible delay of the next update. */
      readonly blockedMs: number;
    }
  /** A note for people: a skipped checkpoint, a wait for the lock, the step of a resume. */
  | { readonly type: 'note'; readonly message: string };

export type RunListener = (event: RunEvent) => void;

/** Delivers events to all listeners, in order of subscription. */
export class RunEvents {
  readonly #listeners: RunListener[] = [];

  subscribe(listener: RunListener): void {
    this.#listeners.push(listener);
  }

  emit(event: RunEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
