import type { JobManifest } from '../../job/manifest.js';
import type { EvaluationRows, Partial } from '../../proto/messages.js';
import { OutgoingVector } from '../../transport/outgoing-vector.js';
import type { WorkReceiver } from '../membership/cluster-service.js';
import { decideStart } from '../membership/presence.js';
import type { Roster } from '../membership/roster.js';
import type { WorkerSession } from '../membership/session.js';
import { WorkerWait } from '../membership/worker-wait.js';
import type { RunEvents } from '../state/events.js';
import type { Waiting } from '../state/waiting.js';
import { decideThreads, type HostShare } from './decisions/threads.js';
import { decideOwners, type ItemNeeds } from './decisions/owners.js';
import type { Backup } from './decisions/stragglers.js';
import { shardsIn } from './decisions/waiting.js';
import type { EvaluationTask } from './evaluation-task.js';
import type { NumericsCheck } from './numerics-check.js';
import type { Arithmetic } from './reduction/arithmetic.js';
import type { StepTask } from './step-task.js';
import { StragglerWatch } from './straggler-watch.js';
import { type Plan, WorkPlan } from './work-plan.js';

/** Work of one step or evaluation. Its items are dispatched to workers, and redispatched if one is lost. */
export type Task = StepTask | EvaluationTask;

export interface DispatcherOptions {
  readonly manifest: Pick<JobManifest, 'shards' | 'evaluation' | 'spec'>;
  readonly term: number;
  /** Workers that the first step waits for. */
  readonly wantedWorkers: number;
  readonly roster: Roster;
  readonly events: RunEvents;
  readonly arithmetic: Arithmetic;
  readonly numerics: NumericsCheck;
  /**
   * Called when no worker is present for the current task, and again whenever the reason may have changed; without a
   * reason once the task resumes.
   */
  readonly onStuck: (reason: string | undefined) => void;
}

/** Minimum time between two decisions on the data of new workers. */
const offerEveryMs = 100;

/**
 * Dispatches one task's items to ready workers, and redispatches those of workers that are lost or slow. Passes their
 * results on to the arithmetic.
 *
 * The plan assigns shards and batches to workers; each dispatch is decided among the workers present. If there are
 * none, the task waits for the next worker and reports that. Shards are reassigned before the next step when workers
 * joined or were slow, and at once when one is lost.
 */
export class Dispatcher implements WorkReceiver {
  generation = 0;
  /** The wait for ready workers between tasks. */
  readonly workers: WorkerWait;
  /** Nodes that a backup computed too. */
  backups = 0;
  readonly #plan: WorkPlan;
  /** Set when the workers or their speed changed since the last plan. */
  #isStale = true;
  #task: Task | undefined;
  /** Vector that the task's items are computed from. */
  #vector: OutgoingVector | undefined;
  #isStuck = false;
  readonly #watch: StragglerWatch;
  /** Set while new workers wait for a decision on their data. */
  #offering: NodeJS.Timeout | undefined;
  #offeredMs = -Infinity;

  constructor(private readonly options: DispatcherOptions) {
    const { roster, events, manifest } = options;
    this.workers = new WorkerWait(roster);
    this.#plan = new WorkPlan(manifest.shards.length, manifest.evaluation.length);
    const onBackup = (backup: Backup, task: StepTask) => this.#dispatchBackup(backup, task);
    this.#watch = new StragglerWatch({ roster, events, candidates: () => this.#candidates(), onBackup });
  }

  /** Workers holding up the current step; undefined unless it is overdue. */
  get waiting(): Waiting | undefined {
    return this.#watch.waiting;
  }

  assignedTo(workerId: string): readonly number[] {
    return this.#plan.assignedTo(workerId);
  }

  /** True for a worker that gets no new work until it has answered. */
  isStraggler(workerId: string): boolean {
    return this.#watch.stragglers.has(workerId);
  }

  /**
   * Runs `task` on the workers. Resolves when it is complete, rejects with its error.
   * @param values - vector that its items are computed from; unchanged until then.
   */
  async perform(task: Task, values: Float32Array): Promise<void> {
    this.#task = task;
    const { term, arithmetic, numerics } = this.options;
    this.#vector = new OutgoingVector({ term, step: task.step, evaluation: task.kind === 'evaluation' }, values);
    if (this.#isStale) this.#reassign();
    if (task.kind === 'step') {
      numerics.begin(task.step);
      for (const first of task.audited) numerics.watch(task.step, { first, count: 1 });
      arithmetic.begin(task.update);
      this.#watch.begin(task, performance.now());
    }
    this.#dispatch({ isFirst: true });
    try {
      await task.done;
    } finally {
      this.#watch.end(performance.now());
      this.#task = undefined;
    }
  }

  /** Abandons the current task; results that still arrive are ignored. */
  drop(): void {
    this.#task = undefined;
  }

  close(): void {
    clearTimeout(this.#offering);
    this.#watch.close();
  }

  receivePartial(session: WorkerSession, partial: Partial): void {
    this.#answered(session);
    const task = this.#task;
    if (task?.kind !== 'step' || partial.term !== this.options.term) return;
    const { workerId } = session;
    const { arithmetic, numerics } = this.options;
    const { step, chunk, data } = partial;
    // Its step is over, so it is only compared.
    if (step === task.step - 1 && partial.node) return numerics.receive(workerId, partial);
    if (step !== task.step) return;
    const { node, isAudit, isLast, reports } = task.accept(session, partial);
    task.clock.arrived(session, node, partial);
    numerics.receive(workerId, partial);
    if (!isAudit) arithmetic.addChunk(step, node, chunk, data);
    for (const report of reports) arithmetic.addReport(step, report);
    if (isLast) session.stepMs = task.clock.workerMs(workerId);
  }

  receiveRows(session: WorkerSession, rows: EvaluationRows): void {
    this.#answered(session);
    const task = this.#task;
    if (task?.kind !== 'evaluation' || rows.term !== this.options.term || rows.step !== task.step) return;
    task.accept(session.workerId, rows);
  }

  workerChanged(change: 'joined' | 'ready' | 'holding'): void {
    if (change === 'ready') this.#isStale = true;
    if (change === 'joined') this.#offerSoon();
    this.workers.wake();
    if (this.#isStuck) this.#redispatch();
  }

  /** Redispatches what the worker hadn't delivered, within the same step. */
  workerGone({ workerId }: WorkerSession): void {
    this.#task?.board.forget(workerId);
    this.#watch.stragglers.delete(workerId);
    this.#plan.forget(workerId);
    this.#isStale = true;
    this.workers.wake();
    if (this.#task) this.#redispatch();
  }

  #answered({ workerId }: WorkerSession): void {
    if (this.#watch.stragglers.delete(workerId)) this.#isStale = true;
  }

  #redispatch(): void {
    this.#reassign();
    this.#dispatch({ isFirst: false });
  }

  /** Ready workers, those without shards first. Stragglers are excluded unless all are. */
  #candidates(): WorkerSession[] {
    const ready = this.options.roster.readySessions;
    const prompt = ready.filter(({ workerId }) => !this.isStraggler(workerId));
    const load = ({ workerId }: WorkerSession) => this.assignedTo(workerId).length;
    return (prompt.length > 0 ? prompt : ready).sort((a, b) => load(a) - load(b));
  }

  /** Decides once for all workers that join within `offerEveryMs`: hundreds may join at once. */
  #offerSoon(): void {
    if (this.#offering) return;
    const waitMs = Math.max(0, this.#offeredMs + offerEveryMs - performance.now());
    this.#offering = setTimeout(() => {
      this.#offering = undefined;
      this.#offeredMs = performance.now();
      this.#offerData();
    }, waitMs);
  }

  /** Lets workers fetch their data while they still compile. Before the first step, plans for all wanted workers. */
  #offerData(): void {
    const { wantedWorkers, roster } = this.options;
    const isFirst = this.generation === 0;
    const newcomers = roster.sessions.filter(({ ready }) => isFirst || !ready).map(({ workerId }) => workerId);
    const missing = isFirst ? Math.max(0, wantedWorkers - newcomers.length) : 0;
    const absent = Array.from({ length: missing }, (_, i) => `(absent ${i})`);
    const plan = this.#decide([...(isFirst ? [] : this.#present()), ...newcomers, ...absent]);
    for (const workerId of newcomers) this.#sendAssignment(workerId, plan);
  }

  /** Workers that compute, in the order in which they joined. */
  #present(): string[] {
    const candidates = new Set(this.#candidates());
    return this.options.roster.sessions.filter((session) => candidates.has(session)).map(({ workerId }) => workerId);
  }

  #decide(workers: readonly string[]): Plan {
    const holding = this.options.roster.sessions.map((session) => [session.workerId, session.holding] as const);
    return this.#plan.decide(workers, new Map(holding));
  }

  /** Makes a new plan. Without workers it keeps the old one, so that those that return get the data they hold. */
  #reassign(): void {
    const workers = this.#present();
    if (workers.length === 0) return;
    this.#isStale = false;
    const plan = this.#decide(workers);
    if (!this.#plan.adopt(plan)) this.#watch.usual.clear();
    this.generation++;
    for (const workerId of workers) this.#sendAssignment(workerId, plan);
    const { assigned, reason } = plan;
    this.options.events.emit({
      type: 'assignment',
      generation: this.generation,
      shards: Object.fromEntries(assigned),
      reason,
    });
  }

  #sendAssignment(workerId: string, plan: Plan): void {
    const { shards, batches } = this.#plan.dataOf(workerId, this.#owedBy(workerId), plan);
    const data = { shards: [...shards], evaluationBatches: [...batches] };
    this.options.roster.get(workerId)?.assign(data, this.generation);
  }

  #owedBy(workerId: string): ItemNeeds[] {
    const task = this.#task;
    const items = task?.board.missing().filter(({ workerIds }) => workerIds.includes(workerId)) ?? [];
    return items.map(({ item }) => task!.needs(item));
  }

  /** @param isFirst - nothing of the task was dispatched before, so each worker's load is known. */
  #dispatch({ isFirst }: { readonly isFirst: boolean }): void {
    const task = this.#task;
    if (!task) return;
    const candidates = this.#candidates();
    this.#reportStuck(candidates.length === 0 && !task.board.complete);
    const open = task.board.open().map((item) => ({ item, needs: task.needs(item) }));
    const shares = [...decideOwners(this.#plan.planned(open), candidates)];
    const threads = decideThreads(isFirst ? shares.map(hostShare) : [], this.options.manifest.spec.engine.threads);
    for (const [session, items] of shares) {
      this.#lend(
        session,
        items.map((item) => task.needs(item)),
      );
      task.board.dispatch(items, session.workerId);
      if (task.kind === 'evaluation') session.evaluate(task.message(this.options.term, items), this.#vector!);
      else this.#sendCompute(session, task, task.nodesOf(items), threads.get(session.workerId));
    }
  }

  /** Dispatches a straggler's node to its backup too. */
  #dispatchBackup({ from, to, node, items }: Backup, task: StepTask): void {
    const session = this.options.roster.get(to);
    if (!session) return;
    this.#isStale = true;
    this.backups++;
    const shards = shardsIn([node]);
    this.#lend(
      session,
      shards.map((shard) => ({ shard })),
    );
    this.options.numerics.watch(task.step, node);
    task.board.dispatch(items, to);
    this.#sendCompute(session, task, [node]);
    this.options.events.emit({ type: 'speculation', step: task.step, shards, from, to });
  }

  #sendCompute(
    session: WorkerSession,
    task: StepTask,
    nodes: ReturnType<StepTask['nodesOf']>,
    threads: readonly number[] = [],
  ): void {
    const { term } = this.options;
    const { generation } = this;
    const sentMs = task.clock.dispatched(session.workerId);
    session.compute({ term, step: task.step, generation, nodes, threads: [...threads], sentMs }, this.#vector!);
    task.clock.written(session.workerId);
  }

  /** Lets a worker fetch data outside its share of the plan, if it lacks any. */
  #lend(session: WorkerSession, needs: readonly ItemNeeds[]): void {
    const { workerId } = session;
    if (this.#plan.lend(session, needs, this.#owedBy(workerId))) this.#sendAssignment(workerId, this.#plan.current);
  }

  #reportStuck(isStuck: boolean): void {
    if (isStuck || this.#isStuck) {
      const { reason } = decideStart(this.options.roster.presence(), 1);
      this.options.onStuck(isStuck ? reason : undefined);
    }
    if (this.#isStuck && !isStuck) this.options.roster.forgetGone();
    this.#isStuck = isStuck;
  }
}

function hostShare([{ workerId, hello, sharedCores }, items]: readonly [WorkerSession, readonly number[]]): HostShare {
  return { workerId, host: hello.host, cores: sharedCores, shards: items.length };
}
