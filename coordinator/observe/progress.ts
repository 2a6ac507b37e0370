import { epochOf, type StepPlan } from '../../job/plan.js';
import type { EvaluationPoint, HistoryReply, Note } from '../../proto/messages.js';
import type { RunEvent, RunState } from '../events.js';
import type { DigestEntry, EvaluationRecord, RunHistorySoFar, StepRecord } from '../records.js';
import { lectureWindow } from '../report/running-mean.js';
import { Curve } from './curve.js';
import { describeEvent } from './event-text.js';

/** The most points of a curve, evaluations and notes that are kept. */
export const mostPoints = 500;
const mostNotes = 50;
/** Steps whose times say how fast the run is. */
const recentSteps = 100;

export interface ProgressSetup {
  readonly plan: StepPlan;
  /** As in the spec: 0 evaluates after the last epoch only. */
  readonly evaluateEveryEpochs: number;
  /** What the run did before this start. */
  readonly before: RunHistorySoFar;
  /** Updates in the checkpoint that the run begins with. */
  readonly checkpointStep: number;
}

/** What the events of a run come to so far, for those who look on. Its memory does not grow with the run. */
export class RunProgress {
  state: RunState = 'waiting';
  reason = 'starting';
  last: StepRecord | undefined;
  test: EvaluationRecord | undefined;
  digest: DigestEntry | undefined;
  checkpointStep: number;
  samplesTrained = 0;
  readonly #curve = new Curve(mostPoints);
  readonly #evaluations: EvaluationPoint[] = [];
  readonly #notes: Note[] = [];
  /** Mean losses of the last steps, all starts. */
  readonly #losses: number[] = [];
  /** The last steps of this start. */
  readonly #recent: StepRecord[] = [];
  #evaluationMs = 0;

  constructor(private readonly setup: ProgressSetup) {
    const { steps, evaluations, digests } = setup.before;
    for (const record of steps) this.#add(record);
    for (const { record } of evaluations) this.#evaluated(record);
    this.#evaluationMs = evaluations.at(-1)?.durationMs ?? 0;
    this.digest = digests.at(-1);
    this.checkpointStep = setup.checkpointStep;
  }

  /** @param timeMs - milliseconds since 1970. */
  handle(event: RunEvent, timeMs: number): void {
    const described = describeEvent(event);
    if (described) push(this.#notes, { timeMs, text: described.text.split('\n', 1)[0]! }, mostNotes);
    switch (event.type) {
      case 'step':
        push(this.#recent, event.record, recentSteps);
        return this.#add(event.record);
      case 'state':
        [this.state, this.reason] = [event.state, event.reason];
        return;
      case 'evaluation':
        this.#evaluationMs = event.durationMs;
        return this.#evaluated(event.record);
      case 'epoch':
        this.digest = { epoch: event.epoch, step: event.step, digest: event.digest };
        return;
      case 'checkpoint':
        this.checkpointStep = event.step;
    }
  }

  /** Mean loss of the last 10 steps; 0 before the first. */
  get lossMean(): number {
    return this.#losses.reduce((sum, loss) => sum + loss, 0) / Math.max(1, this.#losses.length);
  }

  /** Over the last steps of this start; 0 before the first. */
  get rateSamplesPerSecond(): number {
    const sum = (of: 'samples' | 'durationMs') => this.#recent.reduce((total, record) => total + record[of], 0);
    return this.#recent.length === 0 ? 0 : (1000 * sum('samples')) / sum('durationMs');
  }

  /** Time to the last step and its evaluation, if the run went on now; 0 when unknown or over. @param step - committed updates. */
  secondsLeft(step: number): number {
    const { plan, evaluateEveryEpochs } = this.setup;
    const over = this.state === 'finished' || this.state === 'stopped' || this.state === 'failed';
    if (this.#recent.length === 0 || over) return 0;
    const stepMs = median(this.#recent.map(({ durationMs }) => durationMs));
    const tested = epochOf(plan, this.test?.step ?? 0).epoch;
    const evaluations = countEvaluations(tested, plan.epochs, evaluateEveryEpochs);
    return (stepMs * (plan.totalSteps - step) + this.#evaluationMs * evaluations) / 1000;
  }

  /** @param points - the most points of the curve. */
  history(points = mostPoints): HistoryReply {
    const curve = this.#curve.points(points);
    const [steps, losses] = [curve.map(({ step }) => step), curve.map(({ value }) => value)];
    return { steps, losses, evaluations: [...this.#evaluations], notes: [...this.#notes] };
  }

  #add(record: StepRecord): void {
    this.last = record;
    this.samplesTrained += record.samples;
    this.#curve.add(record.step, record.loss);
    push(this.#losses, record.loss, lectureWindow);
  }

  #evaluated(record: EvaluationRecord): void {
    this.test = record;
    const { epoch, step, loss, correct, total } = record;
    push(this.#evaluations, { epoch, step, loss, accuracy: correct / total }, mostPoints);
  }
}

/** Evaluations that come after `tested` complete epochs: every so many epochs, and after the last one. */
export function countEvaluations(tested: number, epochs: number, everyEpochs: number): number {
  if (tested >= epochs) return 0;
  if (everyEpochs === 0) return 1;
  const due = (until: number) => Math.floor(until / everyEpochs);
  return due(epochs - 1) - due(tested) + 1;
}

function push<Value>(values: Value[], value: Value, most: number): void {
  values.push(value);
  if (values.length > most) values.shift();
}

/** The middle value; of an even number, the upper one of the two. `values` is not empty. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
