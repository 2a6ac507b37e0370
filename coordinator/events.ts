import type { EvaluationRecord, StepRecord } from './records.js';

export type RunState = 'waiting' | 'training' | 'evaluating' | 'reporting' | 'finished' | 'stopped' | 'failed';

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
  | { readonly type: 'epoch'; readonly epoch: number; readonly step: number; readonly digest: string }
  | { readonly type: 'evaluation'; readonly record: EvaluationRecord };

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
