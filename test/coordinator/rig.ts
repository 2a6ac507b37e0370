import { expect, onTestFinished } from 'vitest';
import { Accumulator, type StepOutcome } from '../../coordinator/stepping/reduction/accumulator.js';
import type { Arithmetic } from '../../coordinator/stepping/reduction/arithmetic.js';
import { ClusterService } from '../../coordinator/membership/cluster-service.js';
import { Dispatcher } from '../../coordinator/stepping/dispatcher.js';
import { EngineAdmission } from '../../coordinator/membership/admission.js';
import { awaitHello } from '../../coordinator/membership/hello.js';
import { EvaluationTask } from '../../coordinator/stepping/evaluation-task.js';
import { type RunEvent, RunEvents } from '../../coordinator/state/events.js';
import { NumericsCheck, type NumericsFault } from '../../coordinator/stepping/numerics-check.js';
import { Roster } from '../../coordinator/membership/roster.js';
import { StepTask } from '../../coordinator/stepping/step-task.js';
import type { JobManifest } from '../../job/manifest.js';
import { globalSamples, manifestPlan } from '../../job/plan.js';
import type { TreeNode } from '../../job/tree.js';
import type { ShardReport } from '../../proto/messages.js';
import type { JoinStream } from '../../transport/grpc-transport.js';
import { LocalTransports } from '../../transport/local/coordinator-end.js';
import { serve, within } from '../proto/wire.js';
import { RawWorker } from './raw-worker.js';

const term = 1;

/** A shard as a node. */
export const leaf = (first: number): TreeNode => ({ first, count: 1 });
/** Samples of each shard in a step of `smallManifest`. */
export const samples = [2, 2];
/** A gradient of three parameters. */
export const values = (a: number) => new Float32Array(3).fill(a);

/** Takes the next Compute message of a step; any parameters that come with it are left to `next`. */
export async function nextCompute(worker: RawWorker, step: number): Promise<TreeNode[]> {
  const { compute } = await worker.next('compute');
  expect(compute).toMatchObject({ term, step });
  return compute.nodes;
}

/** The accumulator without its thread, which only exists as built JavaScript. */
class InlineArithmetic {
  readonly accumulator: Accumulator;
  onStep: (outcome: StepOutcome) => void = () => undefined;

  constructor(manifest: JobManifest, params: Float32Array) {
    const state = new Float32Array(manifest.stateCount);
    const momentum = new Float32Array(manifest.stateCount);
    const { optimizer } = manifest.spec;
    this.accumulator = new Accumulator({ optimizer, shards: manifest.shards.length, params, state, momentum });
  }

  begin(...update: Parameters<Accumulator['begin']>): void {
    this.accumulator.begin(...update);
  }

  addChunk(step: number, node: TreeNode, chunk: number, data: Uint8Array): void {
    this.#report(this.accumulator.addChunk(step, node, chunk, new Float32Array(Uint8Array.from(data).buffer)));
  }

  addReport(step: number, report: ShardReport): void {
    this.#report(this.accumulator.addReport(step, report));
  }

  #report(outcome: StepOutcome | undefined): void {
    if (outcome) this.onStep(outcome);
  }
}

/**
 * The coordinator's side of the wire: real server, sessions, dispatcher and tasks; the test plays the trainer's loop.
 */
export class Rig {
  readonly events: RunEvent[] = [];
  /** Reasons why the current task had no worker, and undefined each time it continued. */
  readonly stuck: (string | undefined)[] = [];
  readonly faults: NumericsFault[] = [];
  readonly numerics: NumericsCheck;
  readonly params: Float32Array;
  readonly roster: Roster;
  readonly dispatcher: Dispatcher;
  readonly cluster: ClusterService;
  readonly arithmetic: InlineArithmetic;
  readonly localTransports = new LocalTransports();
  address = '';
  #wake: (() => void) | undefined;
  #task: StepTask | EvaluationTask | undefined;

  private constructor(
    readonly manifest: JobManifest,
    heartbeatLimitMs: number,
  ) {
    const events = new RunEvents();
    events.subscribe((event) => {
      this.events.push(event);
      this.#wake?.();
    });
    this.numerics = new NumericsCheck((fault) => this.faults.push(fault));
    this.params = new Float32Array(manifest.parameterCount).fill(1);
    this.arithmetic = new InlineArithmetic(manifest, this.params);
    this.roster = new Roster(heartbeatLimitMs, (session, error) => this.cluster.lost(session, error));
    onTestFinished(() => this.roster.close());
    this.dispatcher = new Dispatcher({
      manifest,
      term,
      wantedWorkers: 2,
      roster: this.roster,
      events,
      arithmetic: this.arithmetic as unknown as Arithmetic,
      numerics: this.numerics,
      onStuck: (reason) => this.stuck.push(reason),
    });
    onTestFinished(() => this.dispatcher.close());
    const welcome = { jobJson: '{}', term, heartbeatMs: 500 };
    this.cluster = new ClusterService({
      roster: this.roster,
      work: this.dispatcher,
      events,
      admission: new EngineAdmission({ numerics: 'strict' }),
      manifest,
      localTransports: this.localTransports,
      welcome,
      onError: (error) => {
        throw error;
      },
    });
  }

  static async start(manifest: JobManifest, heartbeatLimitMs = 60_000): Promise<Rig> {
    const rig = new Rig(manifest, heartbeatLimitMs);
    rig.address = await serve({ Join: (stream: JoinStream) => awaitHello(stream, () => rig.cluster.join(stream)) });
    return rig;
  }

  worker(workerId: string): RawWorker {
    return new RawWorker(this.address, workerId);
  }

  /** Workers that are ready and hold every shard. */
  async workers(...workerIds: string[]): Promise<RawWorker[]> {
    const workers: RawWorker[] = [];
    for (const workerId of workerIds) {
      const worker = this.worker(workerId);
      await worker.start(this.manifest.shards.map((_, shard) => shard));
      await this.until(() => this.roster.get(workerId)?.holding.size === this.manifest.shards.length, 'holding');
      workers.push(worker);
    }
    return workers;
  }

  /** Begins a step; `done` settles with its outcome. */
  step(step: number, audited: readonly number[] = []): { task: StepTask; done: Promise<StepOutcome> } {
    const { manifest, params, dispatcher } = this;
    const plan = manifestPlan(manifest);
    const update = { step, samples: globalSamples(plan, step % plan.stepsPerEpoch), learningRate: 0.5 };
    const task = new StepTask({ manifest, plan, update, audited });
    this.#task = task;
    this.arithmetic.onStep = (outcome) => task.settle(outcome);
    const done = dispatcher.perform(task, params).then(() => task.outcome!);
    done.catch(() => undefined);
    return { task, done };
  }

  /** Number of results that the current task still lacks. */
  missing(): number {
    return this.#task!.board.missing().length;
  }

  /** Begins an evaluation; `done` settles with the rows. */
  evaluate(step: number): { done: Promise<Float32Array> } {
    const task = new EvaluationTask(this.manifest, step);
    const values = new Float32Array(this.manifest.parameterCount + 1);
    this.#task = task;
    return { done: this.dispatcher.perform(task, values).then(() => task.rows) };
  }

  /** Changes of workers so far, e.g. `a joined`. */
  get changes(): string[] {
    return this.events.flatMap((event) => (event.type === 'worker' ? [`${event.workerId} ${event.change}`] : []));
  }

  reasonOf(workerId: string, change: string): string | undefined {
    const found = this.events.find((e) => e.type === 'worker' && e.workerId === workerId && e.change === change);
    return found?.type === 'worker' ? found.reason : undefined;
  }

  /** Waits for `workerId`'s change. */
  async changed(workerId: string, change: string): Promise<void> {
    const change_ = `${workerId} ${change}`;
    while (!this.changes.includes(change_)) {
      await within(new Promise<void>((resolve) => (this.#wake = resolve)), change_);
    }
  }

  /** Waits for a condition that no event tells of. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`expected ${what} within 5000 ms`);
      await new Promise(setImmediate);
    }
  }
}
