import type { Waiting } from '../stepping/decisions/waiting.js';
import type { RunEvent, RunState } from './events.js';
import type { Predictions } from '../../run/predictions-csv.js';
import type { DigestEntry, EvaluationRecord, RunHistorySoFar } from '../../run/records.js';
import { describeEvent } from './event-text.js';
import { type EvaluationPoint, type EventEntry, limits, thinned } from './feed.js';
import { RecentSteps } from './recent-steps.js';
import { StepCurves } from './step-curves.js';

/** How far someone has followed a run. */
export interface Cursor {
  /** Steps up to the last one that is known. */
  readonly step: number;
  /** Of the history, for all but the steps. */
  readonly version: number;
}

/** Before everything. */
export const beginning: Cursor = { step: 0, version: 0 };

/** What came after a cursor. */
export type HistoryPart = ReturnType<RunHistory['since']>;

/** Steps of this start whose times say how fast the run is. */
const pacedSteps = 100;

/** What a start goes on from; nothing, in a new run. */
export interface HistoryBegin {
  readonly before?: RunHistorySoFar;
  /** Of the last of `before.evaluations`, if they are there. */
  readonly predictions?: Predictions | undefined;
  /** Updates in the checkpoint that the run begins with. */
  readonly checkpointStep?: number;
}

/** An entry and the version with which it came. */
type Versioned<Entry> = Entry & { readonly version: number };

/**
 * What a run has done, in memory that does not grow with it, for those who look on: curves of its steps, the last
 * events, evaluations, digests, and the newest predictions. Begins with what was recorded before this start.
 */
export class RunHistory {
  readonly curves = new StepCurves();
  /** The last steps of this start, as another one may have had other workers. */
  readonly pace = new RecentSteps(pacedSteps);
  state: { readonly state: RunState; readonly reason: string } = { state: 'waiting', reason: 'starting' };
  /** Whom the step in progress waits for, if it is late. */
  waiting: Waiting | undefined;
  evaluation: EvaluationRecord | undefined;
  /** Of `evaluation`; undefined after a restart that did not find them. */
  predictions: Predictions | undefined;
  /** How long the last evaluation took; 0 before the first. */
  evaluationMs = 0;
  /** Updates in the newest checkpoint. */
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

  /** The last ones, oldest first. */
  get events(): readonly EventEntry[] {
    return this.#events;
  }

  /** All, or every other one where they were too many; oldest first. */
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

  /** What came after `cursor`; from the beginning, all that is kept. */
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
