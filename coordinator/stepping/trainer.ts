import { ClusterError } from '../../proto/errors.js';
import { chainDigest, stateDigest } from '../../job/digest.js';
import { epochOf, globalSamples } from '../../job/plan.js';
import { learningRate as learningRateOf } from '../../job/schedule.js';
import type { Arithmetic } from './reduction/arithmetic.js';
import { createArithmetic, memoryFor } from './reduction/create.js';
import { StepBoundaryRequests } from './step-boundary.js';
import { decideAudit } from './decisions/audit.js';
import { shardsIn } from './decisions/waiting.js';
import { Dispatcher } from './dispatcher.js';
import { EvaluationTask } from './evaluation-task.js';
import { lastRows, predict, scoreRows } from './evaluation.js';
import type { RunState } from '../state/events.js';
import { NumericsCheck } from './numerics-check.js';
import type { EvaluationRecord, RunCounts, StepRecord, TestRow } from '../../run/records.js';
import { nonFiniteError, StepTask } from './step-task.js';
import type { TrainerSetup, TrainingResult } from './trainer-setup.js';

/** Time that a stop allows the current step to complete. */
const stopGraceMs = 1_500;

/** Trains a job from its first step to its last, one step after the other, and evaluates between epochs. */
export class Trainer {
  readonly dispatcher: Dispatcher;
  /** Pauses and checkpoints on request. */
  readonly requests = new StepBoundaryRequests(() => this.dispatcher.workers.wake());
  state: RunState = 'waiting';
  reason = 'starting';
  step = 0;
  lastRecord: StepRecord | undefined;
  lastEvaluation: EvaluationRecord | undefined;
  readonly #counts = { audited: 0, faults: 0, skipped: 0 };
  readonly #arithmetic: Arithmetic;
  readonly #params: Float32Array;
  readonly #running: Float32Array;
  /** The wait in progress, which a stop or a failure ends early. */
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;
  #task: StepTask | undefined;
  #chain: string;
  /** Complete epochs in the chain. */
  #chainEpochs: number;
  #testRows: readonly TestRow[];
  #stopReason: string | undefined;

  constructor(private readonly setup: TrainerSetup) {
    const { manifest, plan, events, momentum, resume } = setup;
    const { params, state } = resume?.state ?? setup.initial;
    this.#params = memoryFor(params.length, params);
    this.#running = memoryFor(params.length, state);
    this.step = resume?.state.step ?? 0;
    this.#chain = resume?.chain ?? manifest.digest;
    this.#chainEpochs = epochOf(plan, this.step).epoch;
    this.lastEvaluation = resume?.evaluation?.record;
    this.#testRows = resume?.evaluation?.testRows ?? [];
    this.#arithmetic = createArithmetic(
      {
        optimizer: manifest.spec.optimizer,
        shards: manifest.shards.length,
        params: this.#params,
        state: this.#running,
        momentum,
        slots: resume?.state.slots ?? [],
      },
      { onStep: (outcome) => this.#task?.settle(outcome), onError: (error) => this.fail(error) },
    );
    const numerics = new NumericsCheck(({ step, node, workers }) => {
      this.#counts.faults++;
      events.emit({ type: 'fault', kind: 'numerics', workers, shards: shardsIn([node]), step });
    });
    this.dispatcher = new Dispatcher({
      ...setup,
      arithmetic: this.#arithmetic,
      numerics,
      onStuck: this.#reportStuck(),
    });
  }

  get counts(): RunCounts {
    return { ...this.#counts, speculated: this.dispatcher.backups };
  }

  /** Trains until the last step, or until `stop` is called. @throws ClusterError if the job can't continue. */
  async run(): Promise<TrainingResult> {
    const { wantedWorkers, plan, manifest } = this.setup;
    const { minWorkers } = manifest.spec;
    if (!this.#isComplete) await this.#unlessStopped(this.#waitForWorkers());
    if (this.#stopReason === undefined)
      this.#enter('training', `${wantedWorkers} ${wantedWorkers === 1 ? 'worker' : 'workers'} ready`);
    // The previous start may have ended after an epoch's last step.
    await this.#evaluateIfDue();
    while (this.step < plan.totalSteps && this.#stopReason === undefined) {
      if (this.requests.pending) await this.#unlessStopped(this.#serveRequests());
      if (this.#stopReason !== undefined) break;
      if (this.setup.roster.readySessions.length < minWorkers) await this.#unlessStopped(this.#enoughWorkers());
      if (this.#stopReason !== undefined) break;
      if (this.requests.pending) continue;
      await this.#unlessStopped(this.#oneStep());
      if (this.#stopReason === undefined) await this.#betweenSteps();
    }
    this.requests.close();
    return this.#result();
  }

  /** True once every step is done and the result is evaluated. */
  get #isComplete(): boolean {
    return this.step === this.setup.plan.totalSteps && this.lastEvaluation?.step === this.step;
  }

  async #waitForWorkers(): Promise<void> {
    const { startLimitMs, beforeFirstStep, manifest } = this.setup;
    const wantedWorkers = Math.max(this.setup.wantedWorkers, manifest.spec.minWorkers);
    const deadline = performance.now() + startLimitMs;
    do {
      const leftMs = deadline - performance.now();
      await this.dispatcher.workers.wait({
        wanted: wantedWorkers,
        limitMs: leftMs,
        onWaiting: (why) => this.#enter('waiting', why),
      });
    } while (this.#stopReason === undefined && !(await beforeFirstStep()));
  }

  /** Waits between two steps, without a limit, until enough workers are ready or a request arrives. */
  async #enoughWorkers(): Promise<void> {
    const { minWorkers } = this.setup.manifest.spec;
    await this.dispatcher.workers.wait({
      wanted: minWorkers,
      onWaiting: (why) => this.#enter('waiting', why),
      isCancelled: () => this.requests.pending,
    });
    if (this.#stopReason !== undefined || this.requests.pending) return;
    this.#enter('training', `resumed with ${this.setup.roster.readySessions.length} workers`);
  }

  /** Serves external requests at a step boundary. Returns once the run is no longer paused. */
  async #serveRequests(): Promise<void> {
    const wasPaused = this.requests.paused;
    if (wasPaused) this.#enter('paused', `on request, after step ${this.step}`);
    for (;;) {
      await this.requests.serveCheckpoints(() => this.#saveNow());
      if (!this.requests.paused) break;
      await this.requests.nextRequest();
    }
    if (wasPaused) this.#enter('training', `resumed after step ${this.step}`);
  }

  #saveNow(): Promise<string> {
    const { saver } = this.setup;
    if (!saver) throw new ClusterError('REFUSED', 'checkpoint: expected a run with a directory, got one without');
    return saver.saveNow({ step: this.step, chain: this.#chain }, (into) => this.#arithmetic.copyState(into));
  }

  /** Reports that no worker is left for the current task, and later that the task is resumed. */
  #reportStuck(): (reason: string | undefined) => void {
    let before: RunState | undefined;
    return (reason) => {
      if (reason !== undefined && reason !== this.reason) {
        before ??= this.state;
        this.#enter('waiting', reason);
      }
      if (reason !== undefined || before === undefined) return;
      this.#enter(before, before === 'evaluating' ? 'evaluation resumed' : `resumed at step ${this.step}`);
      before = undefined;
    };
  }

  /** Ends the run after the current step, or at once if it waits for workers. */
  stop(reason: string): void {
    this.#stopReason ??= reason;
    this.#endWaitSoon();
  }

  /** Ends the run with an error from outside the steps, such as the loss of all local workers. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
  }

  async close(): Promise<void> {
    this.requests.close();
    this.dispatcher.close();
    await this.#arithmetic.close();
  }

  async #oneStep(): Promise<void> {
    const { manifest, plan } = this.setup;
    const { schedule, optimizer, seed, audit } = manifest.spec;
    const samples = globalSamples(plan, epochOf(plan, this.step).stepInEpoch);
    const learningRate = learningRateOf(schedule, optimizer.learningRate, this.step, plan);
    const audited = decideAudit(seed, this.step, manifest.shards.length, audit);
    const begin = performance.now();
    const update = { step: this.step, samples, learningRate };
    const task = (this.#task = new StepTask({ manifest, plan, update, audited }));
    await this.dispatcher.perform(task, this.#params);
    this.#counts.audited += audited.length;
    const outcome = task.outcome!;
    if (outcome.kind === 'committed') this.#commit(task, outcome, { ...update, durationMs: performance.now() - begin });
    else this.#skip(task, outcome.shards);
    this.setup.events.emit({ type: 'timing', timing: task.timing! });
  }

  #commit(
    task: StepTask,
    { lossSum, correct }: { readonly lossSum: number; readonly correct: number },
    took: { readonly samples: number; readonly learningRate: number; readonly durationMs: number },
  ): void {
    const epoch = epochOf(this.setup.plan, this.step).epoch + 1;
    const workers = new Set(task.deliveredBy.values()).size;
    this.lastRecord = { step: this.step, epoch, loss: lossSum / took.samples, correct, workers, ...took };
    this.step++;
    this.setup.events.emit({ type: 'step', record: this.lastRecord });
  }

  /** Skips an update that isn't finite. @throws ClusterError NON_FINITE unless the spec allows it. */
  #skip(task: StepTask, shards: readonly number[]): void {
    const error = nonFiniteError(task, shards, this.setup.saver?.lastPath);
    if (this.setup.manifest.spec.onNonFinite === 'fail') throw error;
    this.#counts.skipped++;
    this.step++;
    this.setup.events.emit({ type: 'skipped', step: task.step, reason: error.message });
  }

  async #betweenSteps(): Promise<void> {
    const endsEpoch = this.step % this.setup.plan.stepsPerEpoch === 0;
    if (endsEpoch) this.#extendChain(await this.#arithmetic.digest(this.step));
    const copy = (into: Float32Array) => this.#arithmetic.copyState(into);
    await this.setup.saver?.atBoundary({ step: this.step, chain: this.#chain }, copy);
    if (endsEpoch) await this.#evaluateIfDue();
  }

  /** Adds an epoch to the chain. @param digest - of the state at its end. */
  #extendChain(digest: string): void {
    this.#chain = chainDigest(this.#chain, digest);
    this.#chainEpochs++;
    this.setup.events.emit({ type: 'epoch', epoch: this.#chainEpochs, step: this.step, digest: this.#chain });
  }

  /** Evaluates at an epoch's end if that is due. */
  async #evaluateIfDue(): Promise<void> {
    const { plan, manifest } = this.setup;
    const { epoch, stepInEpoch } = epochOf(plan, this.step);
    if (epoch === 0 || stepInEpoch > 0 || this.lastEvaluation?.step === this.step) return;
    const every = manifest.spec.evaluation.everyEpochs;
    const isDue = epoch === plan.epochs || (every > 0 && epoch % every === 0);
    if (isDue && this.#stopReason === undefined) await this.#unlessStopped(this.#evaluate(epoch));
  }

  async #evaluate(epoch: number): Promise<void> {
    const { manifest, events, testLabels } = this.setup;
    const vector = new Float32Array(this.#params.length + this.#running.length);
    vector.set(this.#params);
    vector.set(this.#running, this.#params.length);
    this.#enter('evaluating', `after epoch ${epoch}`);
    const begin = performance.now();
    const task = new EvaluationTask(manifest, this.step);
    await this.dispatcher.perform(task, vector);
    const classes = manifest.dataset.classes.length;
    this.lastEvaluation = scoreRows(task.rows, testLabels, classes, { step: this.step, epoch });
    this.#testRows = lastRows(task.rows, testLabels, classes, 4);
    const predictions = predict(task.rows, testLabels.length, classes);
    const [record, testRows, durationMs] = [this.lastEvaluation, this.#testRows, performance.now() - begin];
    this.#enter('training', epoch < this.setup.plan.epochs ? `epoch ${epoch + 1}` : 'all steps are done');
    events.emit({ type: 'evaluation', record, testRows, predictions, durationMs });
  }

  async #result(): Promise<TrainingResult> {
    this.dispatcher.drop();
    let snapshot = await this.#arithmetic.snapshot(this.step);
    // The update of an interrupted step may have been in progress.
    if (snapshot.step !== this.step) snapshot = await this.#arithmetic.snapshot(this.step);
    const digest = stateDigest(snapshot);
    const { epoch, stepInEpoch } = epochOf(this.setup.plan, this.step);
    // The run was stopped before the end of the epoch was reported.
    if (stepInEpoch === 0 && this.#chainEpochs < epoch) this.#extendChain(digest);
    const outcome = this.#isComplete ? 'finished' : 'stopped';
    const finalDigest = outcome === 'finished' ? this.#chain : digest;
    return { outcome, snapshot, lastTestRows: this.#testRows, chain: this.#chain, finalDigest };
  }

  #enter(state: RunState, reason: string): void {
    this.state = state;
    this.reason = reason;
    this.setup.events.emit({ type: 'state', state, reason });
  }

  /**
   * Waits for `work`, but no longer than a stop allows: a step in progress with ready workers gets `stopGraceMs` to
   * end. Rejects as soon as the run fails. (Racing against a promise that lives as long as the run would retain every
   * step.)
   */
  #unlessStopped(work: Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      work.then(resolve, reject);
      if (this.#failure) reject(this.#failure);
      if (this.#stopReason !== undefined) this.#endWaitSoon();
    });
  }

  #endWaitSoon(): void {
    const { readySessions } = this.setup.roster;
    const working = readySessions.length > 0 && this.state !== 'paused';
    setTimeout(() => this.#waiting?.resolve(), working ? stopGraceMs : 0).unref();
  }
}
