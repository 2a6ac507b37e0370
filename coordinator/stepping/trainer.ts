import { ClusterError } from '../../proto/errors.js';
import { MessageGarbage } from '../../transport/garbage.js';
import type { ReceivedFromWorker } from '../../proto/messages.js';
import { chainDigest, stateDigest } from '../../job/digest.js';
import { epochOf, globalSamples } from '../../job/plan.js';
import { learningRate } from '../../job/schedule.js';
import type { Arithmetic } from './reduction/arithmetic.js';
import { createArithmetic, memoryFor } from './reduction/create.js';
import { BorderRequests } from './step-boundary.js';
import { decideAudit } from './decisions/audit.js';
import { shardsIn } from './decisions/waiting.js';
import { Dispatcher } from './dispatcher.js';
import { EvaluationTask } from './evaluation-task.js';
import { lastRows, predict, scoreRows } from './evaluation.js';
import type { RunState } from '../state/events.js';
import { NumericsCheck } from './numerics-check.js';
import type { EvaluationRecord, RunCounts, StepRecord, TestRow } from '../../run/records.js';
import type { WorkerSession } from '../membership/session.js';
import { nonFiniteError, type StepContext, StepTask } from './step-task.js';
import type { TrainerSetup, TrainingResult } from './trainer-setup.js';

/** What a stop leaves a step that is under way. */
const stopGraceMs = 1_500;

/** Takes a job from its first step to its last: one step after the other, evaluating between epochs. */
export class Trainer {
  readonly dispatcher: Dispatcher;
  /** Pauses and checkpoints on demand. */
  readonly requests = new BorderRequests(() => this.dispatcher.workers.wake());
  state: RunState = 'waiting';
  reason = 'starting';
  step = 0;
  lastRecord: StepRecord | undefined;
  lastEvaluation: EvaluationRecord | undefined;
  readonly #counts = { audited: 0, faults: 0, skipped: 0 };
  readonly #arithmetic: Arithmetic;
  readonly #garbage = new MessageGarbage();
  readonly #context: StepContext;
  readonly #params: Float32Array;
  readonly #running: Float32Array;
  /** The wait in progress, which a stop or a failure cuts short. */
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;
  #task: StepTask | undefined;
  #chain: string;
  /** Complete epochs in the chain. */
  #links: number;
  #testRows: readonly TestRow[];
  #stopReason: string | undefined;

  constructor(private readonly setup: TrainerSetup) {
    const { manifest, plan, term, roster, events, momentum, wantedWorkers, resume } = setup;
    const { params, state } = resume?.state ?? setup.initial;
    this.#params = memoryFor(params.length, params);
    this.#running = memoryFor(params.length, state);
    this.step = resume?.state.step ?? 0;
    this.#chain = resume?.chain ?? manifest.digest;
    this.#links = epochOf(plan, this.step).epoch;
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
    this.dispatcher = new Dispatcher({
      shards: manifest.shards.length,
      evaluationBatches: manifest.evaluation.length,
      wantedWorkers,
      roster,
      events,
      onStuck: this.#noteStuck(),
    });
    const numerics = new NumericsCheck(({ step, node, workers }) => {
      this.#counts.faults++;
      events.emit({ type: 'fault', kind: 'numerics', workers, shards: shardsIn([node]), step });
    });
    this.#context = { manifest, plan, term, params: this.#params, arithmetic: this.#arithmetic, numerics };
  }

  get counts(): RunCounts {
    return { ...this.#counts, speculated: this.dispatcher.speculated };
  }

  /** Trains until the last step, or until `stop` is called. @throws ClusterError when the job cannot go on. */
  async run(): Promise<TrainingResult> {
    const { wantedWorkers, plan, manifest } = this.setup;
    const { minWorkers } = manifest.spec;
    if (!this.#isComplete) await this.#unlessStopped(this.#waitForWorkers());
    if (this.#stopReason === undefined)
      this.#enter('training', `${wantedWorkers} ${wantedWorkers === 1 ? 'worker' : 'workers'} ready`);
    // The start before this one may have ended after an epoch's last step.
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

  /** Whether every step is done and the result is tested. */
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
    const isAsked = () => this.requests.pending;
    await this.dispatcher.workers.wait({
      wanted: minWorkers,
      onWaiting: (why) => this.#enter('waiting', why),
      isCancelled: isAsked,
    });
    if (this.#stopReason !== undefined || isAsked()) return;
    this.#enter('training', `resumed with ${this.setup.roster.readySessions.length} workers`);
  }

  /** Between two steps: does what was asked for from outside, and goes on when it is not to pause any more. */
  async #serveRequests(): Promise<void> {
    const wasPaused = this.requests.paused;
    if (wasPaused) this.#enter('paused', `on demand, after step ${this.step}`);
    for (;;) {
      await this.requests.serveCheckpoints(() => this.#saveNow());
      if (!this.requests.paused) break;
      await this.requests.untilAsked();
    }
    if (wasPaused) this.#enter('training', `resumed after step ${this.step}`);
  }

  #saveNow(): Promise<string> {
    const { saveNow } = this.setup;
    if (!saveNow) throw new ClusterError('REFUSED', 'checkpoint: expected a run with a directory, got one without');
    return saveNow({ step: this.step, chain: this.#chain }, (into) => this.#arithmetic.copyState(into));
  }

  /** Reports that no worker is left for the current task, and later that the task is resumed. */
  #noteStuck(): (reason: string | undefined) => void {
    let before: RunState | undefined;
    return (reason) => {
      if (reason !== undefined && reason !== this.reason) {
        before ??= this.state;
        this.#enter('waiting', reason);
      }
      if (reason !== undefined || before === undefined) return;
      this.#enter(before, before === 'evaluating' ? 'evaluation resumed' : `resumed with step ${this.step}`);
      before = undefined;
    };
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
    this.requests.close();
    this.dispatcher.close();
    await this.#arithmetic.close();
  }

  receive(session: WorkerSession, message: ReceivedFromWorker): void {
    if (message.message === 'partial' || message.message === 'rows') this.dispatcher.receive(session, message);
  }

  async #oneStep(): Promise<void> {
    const { manifest, plan } = this.setup;
    const { schedule, optimizer, seed, audit } = manifest.spec;
    const samples = globalSamples(plan, epochOf(plan, this.step).stepInEpoch);
    const rate = learningRate(schedule, optimizer.learningRate, this.step, plan);
    const audited = decideAudit(seed, this.step, manifest.shards.length, audit);
    const begin = performance.now();
    const update = { samples, learningRate: rate };
    const task = (this.#task = new StepTask(this.#context, this.step, update, audited));
    const done = this.dispatcher.perform(task);
    // The workers compute now. Each was sent parameters and sends a gradient, by gRPC unless it has a link.
    const remote = this.setup.roster.readySessions.filter(({ link }) => !link);
    this.#garbage.add(2 * this.#params.byteLength * remote.length);
    await done;
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

  /** Leaves out an update that is not finite. @throws ClusterError NON_FINITE unless the spec allows that. */
  #skip(task: StepTask, shards: readonly number[]): void {
    const error = nonFiniteError(task, shards, this.setup.lastCheckpoint?.());
    if (this.setup.manifest.spec.onNonFinite === 'fail') throw error;
    this.#counts.skipped++;
    this.step++;
    this.setup.events.emit({ type: 'skipped', step: task.step, reason: error.message });
  }

  async #betweenSteps(): Promise<void> {
    const endsEpoch = this.step % this.setup.plan.stepsPerEpoch === 0;
    if (endsEpoch) this.#link(await this.#arithmetic.digest(this.step));
    const copy = (into: Float32Array) => this.#arithmetic.copyState(into);
    const busy = this.setup.atBoundary?.({ step: this.step, chain: this.#chain }, copy);
    if (busy) await busy;
    if (endsEpoch) await this.#evaluateIfDue();
  }

  /** Adds an epoch to the chain. @param digest - of the state at its end. */
  #link(digest: string): void {
    this.#chain = chainDigest(this.#chain, digest);
    this.#links++;
    this.setup.events.emit({ type: 'epoch', epoch: this.#links, step: this.step, digest: this.#chain });
  }

  /** Evaluates at an epoch's end, unless that is done. */
  async #evaluateIfDue(): Promise<void> {
    const { plan, manifest } = this.setup;
    const { epoch, stepInEpoch } = epochOf(plan, this.step);
    if (epoch === 0 || stepInEpoch > 0 || this.lastEvaluation?.step === this.step) return;
    const every = manifest.spec.evaluation.everyEpochs;
    const isDue = epoch === plan.epochs || (every > 0 && epoch % every === 0);
    if (isDue && this.#stopReason === undefined) await this.#unlessStopped(this.#evaluate(epoch));
  }

  async #evaluate(epoch: number): Promise<void> {
    const { manifest, term, events, testLabels } = this.setup;
    const vector = new Float32Array(this.#params.length + this.#running.length);
    vector.set(this.#params);
    vector.set(this.#running, this.#params.length);
    this.#enter('evaluating', `after epoch ${epoch}`);
    const begin = performance.now();
    const task = new EvaluationTask(manifest, term, this.step, vector);
    await this.dispatcher.perform(task);
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
    // The update of a step that was cut short may have been under way.
    if (snapshot.step !== this.step) snapshot = await this.#arithmetic.snapshot(this.step);
    const digest = stateDigest(snapshot);
    const { epoch, stepInEpoch } = epochOf(this.setup.plan, this.step);
    // A stop came before the end of the epoch was told of.
    if (stepInEpoch === 0 && this.#links < epoch) this.#link(digest);
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
    const working = readySessions.length > 0 && this.state !== 'paused';
    setTimeout(() => this.#waiting?.resolve(), working ? stopGraceMs : 0).unref();
  }
}
