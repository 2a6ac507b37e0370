import type { Waiting } from '../stepping/decisions/waiting.js';
import type { Predictions } from '../../run/predictions-csv.js';
import type { EvaluationRecord, StepRecord, TestRow } from '../../run/records.js';
import type { StepTiming } from './step-timing.js';

export type RunState =
  'waiting' | 'training' | 'paused' | 'evaluating' | 'reporting' | 'finished' | 'stopped' | 'failed';

/** Whether nothing comes after a state. */
export function isEnd(state: string): boolean {
  return state === 'finished' || state === 'stopped' || state === 'failed';
}

/** What happens in a run, as the terminal, the log and later other observers see it. */
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
  /** Where the time of a step went that was committed or left out; after what tells of that. */
  | { readonly type: 'timing'; readonly timing: StepTiming }
  /** A step is late; told of once per second at most. */
  | ({ readonly type: 'waiting' } & Waiting)
  | {
      readonly type: 'speculation';
      readonly step: number;
      readonly shards: readonly number[];
      /** The worker that is late, and the one that computes the same. */
      readonly from: string;
      readonly to: string;
    }
  | {
      readonly type: 'fault';
      readonly kind: 'numerics';
      /** Whose result came first, and whose differs from it. */
      readonly workers: readonly string[];
      readonly shards: readonly number[];
      readonly step: number;
    }
  /** A step whose gradients were not finite; nothing of it was applied. */
  | { readonly type: 'skipped'; readonly step: number; readonly reason: string }
  | { readonly type: 'epoch'; readonly epoch: number; readonly step: number; readonly digest: string }
  | {
      readonly type: 'evaluation';
      readonly record: EvaluationRecord;
      /** The last test images, as the lecture prints them. */
      readonly testRows: readonly TestRow[];
      /** Of every test image; for this moment only, as the next evaluation makes others. */
      readonly predictions: Predictions;
      readonly durationMs: number;
    }
  | {
      readonly type: 'checkpoint';
      readonly step: number;
      readonly path: string;
      /** From the copy of the state to the durable file. */
      readonly durationMs: number;
      /** How long the next update could have been held up. */
      readonly blockedMs: number;
    }
  /** What a person should know of: a checkpoint skipped or passed over, a lock waited for, the step gone on from. */
  | { readonly type: 'note'; readonly message: string };

export type RunListener = (event: RunEvent) => void;

/** Passes events to every listener, in order of subscription. */
export class RunEvents {
  readonly #listeners: RunListener[] = [];

  subscribe(listener: RunListener): void {
    this.#listeners.push(listener);
  }

  emit(event: RunEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
