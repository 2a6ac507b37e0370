import type { Waiting } from './waiting.js';
import type { RunEvent, RunState } from './events.js';
import type { Predictions } from '../../run/predictions-csv.js';
import type { DigestEntry, EvaluationRecord, RecordedHistory } from '../../run/records.js';
import { describeEvent } from './event-text.js';
import { type EvaluationPoint, type EventEntry, limits, thinned } from './feed.js';
import { RecentSteps } from './recent-steps.js';
import { StepCurves } from './step-curves.js';

/** Position of a client in a run's history. */
export interface Cursor {
  /** Steps that the client knows. */
  readonly step: number;
  /** Version of the history that it knows, for everything but the steps. */
  readonly version: number;
}

/** Position before the first event. */
export const beginning: Cursor = { step: 0, version: 0 };

/** Last steps of this start, which define the run's pace. */
const pacedSteps = 100;

/** Records of a resumed run; empty for a new one. */
export interface HistoryBegin {
  readonly before?: RecordedHistory;
  /** Of the last of `before.evaluations`, if they were found. */
  readonly predictions?: Predictions | undefined;
  /** Step of the checkpoint that the run starts from. */
  readonly checkpointStep?: number;
}

/** An entry with the version that added it. */
type Versioned<Entry> = Entry & { readonly version: number };

/**
 * Summary of a run for its observers, in bounded memory: curves of its steps, the last events, evaluations and digests,
 * and the newest predictions. Includes the records of earlier starts.
 */
export class RunHistory {
  readonly curves = new StepCurves();
  /** The last steps of this start; earlier starts may have had other workers. */
  readonly pace = new RecentSteps(pacedSteps);
  state: { readonly state: RunState; readonly reason: string } = { state: 'waiting', reason: 'starting' };
  /** Workers holding up the current step; undefined unless it is overdue. */
  waiting: Waiting | undefined;
  evaluation: EvaluationRecord | undefined;
  /** Of `evaluation`; undefined after a resume that didn't find them. */
  predictions: Predictions | undefined;
  /** Duration of the last evaluation; 0 before the first. */
  evaluationMs = 0;
  /** Step of the newest checkpoint. */
  checkpointStep: number;
  #version = 0;
  #evaluationVersion = 0;
  readonly #events: EventEntry[] = [];
  #evaluations: readonly Versioned<EvaluationPoint>[] = [];
  readonly #digests: Versioned<DigestEntry>[] = [];

  constructor({ before, predictions, checkpointStep = 0 }: HistoryBegin = {}) {
    for (const record of before?.steps ?? []) this.curves.add(record);
    for (const { record, durationMs } of before?.evaluations ?? []) this.#addEvaluation(record, durationMs);
    for (const entry of before?.digests ?? []) this.#addDigest(entry);
    this.predictions = predictions;
    this.checkpointStep = checkpointStep;
  }

  /** Of the last complete epoch. */
  get digest(): DigestEntry | undefined {
    return this.#digests.at(-1);
  }

  /** The last events, oldest first. */
  get events(): readonly EventEntry[] {
    return this.#events;
  }

  /** All evaluations, thinned if there are too many; oldest first. */
  get evaluations(): readonly EvaluationPoint[] {
    return this.#evaluations;
  }

  get cursor(): Cursor {
    return { step: this.curves.steps, version: this.#version };
  }

  /** @param nowMs - milliseconds since 1970. */
  add(event: RunEvent, nowMs: number): void {
    this.#take(event);
    const described = describeEvent(event);
    if (!described) return;
    this.#events.push({ id: ++this.#version, atMs: nowMs, ...described });
    if (this.#events.length > limits.events) this.#events.shift();
  }

  /** Changes after `cursor`; everything, for `beginning`. */
  since({ step, version }: Cursor) {
    const isNew = (entry: { readonly version: number }) => entry.version > version;
    return {
      curves: this.curves.since(step),
      events: this.#events.filter(({ id }) => id > version),
      evaluations: this.#evaluations.filter(isNew),
      confusion: this.#evaluationVersion > version ? this.evaluation?.confusion : undefined,
      digests: this.#digests.filter(isNew),
    };
  }

  #take(event: RunEvent): void {
    switch (event.type) {
      case 'step':
        this.waiting = undefined;
        this.pace.add(event.record);
        return this.curves.add(event.record);
      case 'waiting':
        this.waiting = event;
        return;
      case 'state':
        this.state = { state: event.state, reason: event.reason };
        if (event.state !== 'training') this.waiting = undefined;
        return;
      case 'epoch':
        return this.#addDigest({ epoch: event.epoch, step: event.step, digest: event.digest });
      case 'evaluation':
        return this.#addEvaluation(event.record, event.durationMs, event.predictions);
      case 'checkpoint':
        this.checkpointStep = event.step;
    }
  }

  #addEvaluation(record: EvaluationRecord, durationMs: number, predictions?: Predictions): void {
    const { step, epoch, loss, correct, total } = record;
    const version = (this.#evaluationVersion = ++this.#version);
    this.evaluation = record;
    this.evaluationMs = durationMs;
    this.predictions = predictions;
    this.#evaluations = thinned(
      [...this.#evaluations, { step, epoch, loss, correct, total, version }],
      limits.evaluations,
    );
  }

  #addDigest(entry: DigestEntry): void {
    this.#digests.push({ ...entry, version: ++this.#version });
    if (this.#digests.length > limits.digests) this.#digests.shift();
  }
}
