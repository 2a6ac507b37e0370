import type { ReceivedFromWorker } from '../proto/messages.js';
import { chainDigest, stateDigest, type TrainingState } from '../job/digest.js';
import type { JobManifest } from '../job/manifest.js';
import { epochOf, globalSamples, type StepPlan } from '../job/plan.js';
import { learningRate } from '../job/schedule.js';
import type { StepOutcome } from './arithmetic/accumulator.js';
import { ArithmeticThread } from './arithmetic/thread.js';
import { Dispatcher } from './dispatcher.js';
import { EvaluationTask } from './evaluation-task.js';
import { lastRows, scoreRows } from './evaluation.js';
import type { RunEvents, RunState } from './events.js';
import type { EvaluationRecord, StepRecord, TestRow } from './records.js';
import type { Roster } from './roster.js';
import type { WorkerSession } from './session.js';
import { StepTask } from './step-task.js';

export interface TrainerSetup {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly term: number;
  readonly initial: { readonly params: Float32Array; readonly state: Float32Array };
  /** Momentum of each running statistic, `[stateCount]`. */
  readonly momentum: Float32Array;
  readonly testLabels: Uint8Array;
  readonly roster: Roster;
  readonly events: RunEvents;
  /** Workers that the first step waits for, and for how long. */
  readonly wantedWorkers: number;
  readonly startLimitMs: number;
}

/** What is left when the last step is done or the run was stopped. */
export interface TrainingResult {
  readonly outcome: 'finished' | 'stopped';
  readonly snapshot: TrainingState;
  readonly lastTestRows: readonly TestRow[];
  /** Last link of the digest chain if finished, else the digest of the state as it is. */
  readonly finalDigest: string;
}

/** What a stop leaves a step that is under way. */
const stopGraceMs = 1_500;

/** Takes a job from its first step to its last: one step after the other, evaluating between epochs. */
export class Trainer {
  readonly dispatcher: Dispatcher;
  state: RunState = 'waiting';
  reason = 'starting';
  step = 0;
  lastRecord: StepRecord | undefined;
  lastEvaluation: EvaluationRecord | undefined;
  readonly #arithmetic: ArithmeticThread;
  readonly #params: Float32Array;
  readonly #running: Float32Array;
  /** The wait in progress, which a stop or a failure cuts short. */
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;
  #task: StepTask | undefined;
  #chain: string;
  #testRows: TestRow[] = [];
  #stopReason: string | undefined;

  constructor(private readonly setup: TrainerSetup) {
    const { manifest, roster, events, momentum, wantedWorkers } = setup;
    this.#params = sharedCopy(setup.initial.params);
    this.#running = sharedCopy(setup.initial.state);
    this.#chain = manifest.digest;
    this.#arithmetic = new ArithmeticThread(
      {
        optimizer: manifest.spec.optimizer,
        shards: manifest.shards.length,
        params: this.#params,
        state: this.#running,
        momentum,
      },
      (outcome: StepOutcome) => this.#task?.settle(outcome),
      (error) => this.fail(error),
    );
    this.dispatcher = new Dispatcher({
      shards: manifest.shards.length,
      evaluationBatches: manifest.evaluation.length,
      wantedWorkers,
      roster,
      events,
    });
  }

  /** Trains until the last step, or until `stop` is called. @throws ClusterError when the job cannot go on. */
  async run(): Promise<TrainingResult> {
    const { wantedWorkers, startLimitMs, plan } = this.setup;
    const enough = this.dispatcher.waitForWorkers(wantedWorkers, startLimitMs, (why) => this.#enter('waiting', why));
    await this.#unlessStopped(enough);
    if (this.#stopReason === undefined)
      this.#enter('training', `${wantedWorkers} ${wantedWorkers === 1 ? 'worker' : 'workers'} ready`);
    while (this.step < plan.totalSteps && this.#stopReason === undefined) {
      await this.#unlessStopped(this.#oneStep());
      if (this.#stopReason === undefined && this.step % plan.stepsPerEpoch === 0) await this.#endEpoch();
    }
    return this.#result();
  }

  /** Ends the run after the step in progress; a run that waits for workers ends at once. */
  stop(reason: string): void {
    this.#stopReason ??= reason;
    this.#cutSoon();
  }

  /** Ends the run with an error that has no place of its own, such as the loss of all local workers. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
  }

  async close(): Promise<void> {
    await this.#arithmetic.close();
  }

  receive(session: WorkerSession, message: ReceivedFromWorker): void {
    if (message.message === 'partial' || message.message === 'rows') this.dispatcher.receive(session, message);
  }

  async #oneStep(): Promise<void> {
    const { manifest, plan, term, events } = this.setup;
    const { spec } = manifest;
    const { epoch, stepInEpoch } = epochOf(plan, this.step);
    const samples = globalSamples(plan, stepInEpoch);
    const rate = learningRate(spec.schedule, spec.optimizer.learningRate, this.step, plan);
    const context = { manifest, plan, term, params: this.#params, arithmetic: this.#arithmetic };
    const begin = performance.now();
    const task = (this.#task = new StepTask(context, this.step, { samples, learningRate: rate }));
    await this.dispatcher.perform(task);
    const { lossSum, correct } = task.outcome!;
    this.lastRecord = {
      step: this.step,
      epoch: epoch + 1,
      samples,
      loss: lossSum / samples,
      correct,
      learningRate: rate,
      durationMs: performance.now() - begin,
      workers: task.contributors.size,
    };
    this.step++;
    events.emit({ type: 'step', record: this.lastRecord });
  }

  async #endEpoch(): Promise<void> {
    const { plan, events, manifest } = this.setup;
    const epoch = this.step / plan.stepsPerEpoch;
    this.#chain = chainDigest(this.#chain, await this.#arithmetic.digest(this.step));
    events.emit({ type: 'epoch', epoch, step: this.step, digest: this.#chain });
    const every = manifest.spec.evaluation.everyEpochs;
    const last = this.step === plan.totalSteps;
    if (last || (every > 0 && epoch % every === 0)) await this.#unlessStopped(this.#evaluate(epoch));
  }

  async #evaluate(epoch: number): Promise<void> {
    const { manifest, term, events, testLabels } = this.setup;
    const vector = new Float32Array(this.#params.length + this.#running.length);
    vector.set(this.#params);
    vector.set(this.#running, this.#params.length);
    this.#enter('evaluating', `after epoch ${epoch}`);
    const task = new EvaluationTask(manifest, term, this.step, vector);
    await this.dispatcher.perform(task);
    const classes = manifest.dataset.classes.length;
    this.lastEvaluation = scoreRows(task.rows, testLabels, classes, { step: this.step, epoch });
    this.#testRows = lastRows(task.rows, testLabels, classes, 4);
    this.#enter('training', `epoch ${epoch + 1}`);
    events.emit({ type: 'evaluation', record: this.lastEvaluation });
  }

  async #result(): Promise<TrainingResult> {
    this.dispatcher.drop();
    let snapshot = await this.#arithmetic.snapshot(this.step);
    // The update of a step that was cut short may have been under way.
    if (snapshot.step !== this.step) snapshot = await this.#arithmetic.snapshot(this.step);
    const finished = this.step === this.setup.plan.totalSteps && this.lastEvaluation?.step === this.step;
    const finalDigest = finished ? this.#chain : stateDigest(snapshot);
    return { outcome: finished ? 'finished' : 'stopped', snapshot, lastTestRows: this.#testRows, finalDigest };
  }

  #enter(state: RunState, reason: string): void {
    this.state = state;
    this.reason = reason;
    this.setup.events.emit({ type: 'state', state, reason });
  }

  /**
   * Waits for `work`, but for no longer than a stop allows: a step under way with workers at hand gets a moment to end.
   * Fails as soon as the run does. (A race against a promise that lives as long as the run would keep every step.)
   */
  #unlessStopped(work: Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      work.then(resolve, reject);
      if (this.#failure) reject(this.#failure);
      if (this.#stopReason !== undefined) this.#cutSoon();
    });
  }

  #cutSoon(): void {
    const { readySessions } = this.setup.roster;
    setTimeout(() => this.#waiting?.resolve(), readySessions.length > 0 ? stopGraceMs : 0).unref();
  }
}

/** A copy that two threads can read. */
function sharedCopy(values: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(Math.max(4, values.byteLength)), 0, values.length);
  copy.set(values);
  return copy;
}
