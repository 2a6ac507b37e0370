import { decideAssignment } from '../../job/assignment.js';
import { decideOwners, type OpenItem, splitBatches } from './decisions/owners.js';
import { decideStart } from '../membership/presence.js';
import { decideStandby } from './decisions/backup.js';
import type { Speculation } from './decisions/stragglers.js';
import { shardsIn, type Waiting } from './decisions/waiting.js';
import { decideWide, type HostShare } from './decisions/idle-cores.js';
import type { RunEvents } from '../state/events.js';
import { LateSteps } from './straggler-watch.js';
import type { Roster } from '../membership/roster.js';
import type { WorkerSession } from '../membership/session.js';
import type { ItemNeeds, StepWork, Task, TaskMessage } from './task.js';
import { WorkerWait } from '../membership/worker-wait.js';

export interface DispatcherOptions {
  readonly shards: number;
  readonly evaluationBatches: number;
  /** Workers that the first step waits for. */
  readonly wantedWorkers: number;
  readonly roster: Roster;
  readonly events: RunEvents;
  /**
   * Called when no worker is present for the current task, and again whenever the reason may have changed; without a
   * reason once the task resumes.
   */
  readonly onStuck: (reason: string | undefined) => void;
}

/** Shortest time between two decisions on the data of new workers. */
const offerEveryMs = 100;

/** Parts of the dataset that a worker fetches. */
interface Data {
  readonly shards: ReadonlySet<number>;
  readonly batches: ReadonlySet<number>;
}

const noData: Data = { shards: new Set(), batches: new Set() };

/** Who is to hold and compute what. */
interface Plan {
  /** Shards that each worker computes. */
  readonly assigned: ReadonlyMap<string, readonly number[]>;
  /** Shards that workers without any fetch ahead. */
  readonly standby: ReadonlyMap<string, readonly number[]>;
  readonly batches: ReadonlyMap<string, readonly number[]>;
  readonly reason: string;
}

const noPlan: Plan = { assigned: new Map(), standby: new Map(), batches: new Map(), reason: '' };

/**
 * Dispatches one task's items to ready workers, and redispatches those of workers that are lost or slow.
 *
 * The plan assigns shards and batches to workers; each dispatch is decided among the workers present. If there are
 * none, the task waits for the next worker and reports that. Shards are reassigned before the next step when workers
 * joined or were slow, and at once when one is lost.
 */
export class Dispatcher {
  generation = 0;
  /** The wait for ready workers between tasks. */
  readonly workers: WorkerWait;
  /** Nodes that were given to a second worker. */
  speculated = 0;
  #plan = noPlan;
  /** Data that a worker fetches in addition to its share of the plan: for an audit, or as backup of a slow worker. */
  readonly #lent = new Map<string, Data>();
  #changed = true;
  #task: Task | undefined;
  #stuck = false;
  readonly #late: LateSteps;
  /** Set while new workers wait for their data to be decided. */
  #offering: NodeJS.Timeout | undefined;
  #offeredMs = -Infinity;

  constructor(private readonly options: DispatcherOptions) {
    const { roster, events } = options;
    this.workers = new WorkerWait(roster);
    const give = (speculation: Speculation, task: StepWork) => this.#speculate(speculation, task);
    this.#late = new LateSteps({ roster, events, candidates: () => this.#candidates(), give });
  }

  /** Whom the step in progress waits for, if it is late. */
  get waiting(): Waiting | undefined {
    return this.#late.waiting;
  }

  assignedTo(workerId: string): readonly number[] {
    return this.#plan.assigned.get(workerId) ?? [];
  }

  /** Whether a worker gets nothing more until it has answered. */
  isLate(workerId: string): boolean {
    return this.#late.late.has(workerId);
  }

  /** Runs `task` on the workers. Resolves when it is complete, rejects with its error. */
  async perform(task: Task): Promise<void> {
    this.#task = task;
    if (this.#changed) this.#reassign();
    if (task.kind === 'step') this.#late.begin(task, performance.now());
    this.#dispatch({ fresh: true });
    try {
      await task.done;
    } finally {
      this.#late.end(performance.now());
      this.#task = undefined;
    }
  }

  /** Abandons the current task; results that still arrive are ignored. */
  drop(): void {
    this.#task = undefined;
  }

  close(): void {
    clearTimeout(this.#offering);
    this.#late.close();
  }

  receive(session: WorkerSession, message: TaskMessage): void {
    if (this.#late.late.delete(session.workerId)) this.#changed = true;
    this.#task?.receive(session, message);
  }

  /** A worker joined, became ready, or now holds more shards. */
  workerChanged(change: 'joined' | 'ready' | 'holding'): void {
    if (change === 'ready') this.#changed = true;
    if (change === 'joined') this.#offerSoon();
    this.workers.wake();
    if (this.#stuck) this.#redo();
  }

  /** A worker is gone: what it had not delivered is computed by others, in the same step. */
  workerGone(session: WorkerSession): void {
    this.#task?.board.forget(session.workerId);
    this.#late.late.delete(session.workerId);
    this.#lent.delete(session.workerId);
    this.#changed = true;
    this.workers.wake();
    if (this.#task) this.#redo();
  }

  #redo(): void {
    this.#reassign();
    this.#dispatch({ fresh: false });
  }

  /** Ready workers, those that stand by first; without those that are late, unless all are. */
  #candidates(): WorkerSession[] {
    const ready = this.options.roster.readySessions;
    const prompt = ready.filter(({ workerId }) => !this.#late.late.has(workerId));
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
    for (const workerId of newcomers) this.#tell(workerId, plan);
  }

  /** Workers that compute, in the order in which they joined. */
  #present(): string[] {
    const candidates = new Set(this.#candidates());
    return this.options.roster.sessions.filter((session) => candidates.has(session)).map(({ workerId }) => workerId);
  }

  #decide(workers: readonly string[]): Plan {
    const { shards, evaluationBatches, roster } = this.options;
    const holding = new Map(roster.sessions.map((session) => [session.workerId, session.holding]));
    const previous = this.#plan.assigned;
    const { assignment, reason } = decideAssignment({ shards, workers, previous, holding });
    const standby = decideStandby(assignment, holding);
    return { assigned: assignment, standby, batches: splitBatches(evaluationBatches, workers), reason };
  }

  /** Makes a new plan. Without workers it keeps the old one, so that those that return get the data they hold. */
  #reassign(): void {
    const workers = this.#present();
    if (workers.length === 0) return;
    this.#changed = false;
    const loadBefore = largestLoad(this.#plan);
    const plan = (this.#plan = this.#decide(workers));
    if (largestLoad(plan) !== loadBefore) this.#late.usual.clear();
    this.generation++;
    for (const workerId of workers) this.#tell(workerId, plan);
    const { assigned, reason } = plan;
    this.options.events.emit({
      type: 'assignment',
      generation: this.generation,
      shards: Object.fromEntries(assigned),
      reason,
    });
  }

  #tell(workerId: string, plan: Plan): void {
    const { shards, batches } = this.#dataOf(workerId, plan);
    const parts = { shards: [...shards], evaluationBatches: [...batches] };
    this.options.roster.get(workerId)?.assign(parts, this.generation);
  }

  /**
   * Data that a worker must hold: for items of the current task dispatched to it, even if the plan has since moved
   * them; its share of the plan; and data lent to it.
   */
  #dataOf(workerId: string, { assigned, standby, batches }: Plan): Data {
    const of = (items: ReadonlyMap<string, readonly number[]>) => items.get(workerId) ?? [];
    const lent = this.#lent.get(workerId) ?? noData;
    const owed = this.#owedBy(workerId);
    return {
      shards: new Set([...owed.shards, ...of(assigned), ...of(standby), ...lent.shards]),
      batches: new Set([...owed.batches, ...of(batches), ...lent.batches]),
    };
  }

  #owedBy(workerId: string): Data {
    const task = this.#task;
    const items = task?.board.missing().filter(({ workerIds }) => workerIds.includes(workerId)) ?? [];
    return dataFor(items.map(({ item }) => task!.needs(item)));
  }

  /** @param fresh - nothing of the task is under way, so it is known who has how much to do. */
  #dispatch({ fresh }: { readonly fresh: boolean }): void {
    const task = this.#task;
    if (!task) return;
    const candidates = this.#candidates();
    this.#noteStuck(candidates.length === 0 && !task.board.complete);
    const orders = [...decideOwners(this.#openItems(task), candidates)].map(([session, items]) => ({ session, items }));
    const wide = decideWide(fresh ? orders.map(hostShare) : []);
    for (const { session, items } of orders) {
      const needs = items.map((item) => task.needs(item));
      this.#lend(session, needs);
      task.board.order(items, session.workerId);
      task.order(session, items, this.generation, wide.get(session.workerId) ?? 0);
    }
  }

  #openItems(task: Task): OpenItem[] {
    const { assigned, batches } = this.#plan;
    const [ofShard, ofBatch] = [plannedWorkers(assigned), plannedWorkers(batches)];
    return task.board.open().map((item) => {
      const needs = task.needs(item);
      if ('batch' in needs) return { item, planned: ofBatch.get(needs.batch) };
      return { item, planned: ofShard.get(needs.shard), ...needs };
    });
  }

  /** Lets a worker fetch data outside its share of the plan, if it lacks them. */
  #lend({ workerId, holding }: WorkerSession, needs: readonly ItemNeeds[]): void {
    const told = this.#dataOf(workerId, this.#plan);
    const lacking = needs.filter((need) =>
      'shard' in need ? !holding.has(need.shard) && !told.shards.has(need.shard) : !told.batches.has(need.batch),
    );
    if (lacking.length === 0) return;
    const { shards, batches } = this.#lent.get(workerId) ?? noData;
    const more = dataFor(lacking);
    this.#lent.set(workerId, {
      shards: new Set([...shards, ...more.shards]),
      batches: new Set([...batches, ...more.batches]),
    });
    this.#tell(workerId, this.#plan);
  }

  #noteStuck(stuck: boolean): void {
    if (stuck || this.#stuck) {
      const { reason } = decideStart(this.options.roster.presence(), 1);
      this.options.onStuck(stuck ? reason : undefined);
    }
    if (this.#stuck && !stuck) this.options.roster.forgetGone();
    this.#stuck = stuck;
  }

  #speculate({ from, to, ...missing }: Speculation, task: StepWork): void {
    const session = this.options.roster.get(to);
    if (!session) return;
    this.#changed = true;
    this.speculated++;
    const shards = shardsIn([missing.node]);
    const needs = shards.map((shard) => ({ shard }));
    this.#lend(session, needs);
    task.orderAlso(session, missing, this.generation);
    this.options.events.emit({ type: 'speculation', step: task.step, shards, from, to });
  }
}

function hostShare({ session, items }: { session: WorkerSession; items: readonly number[] }): HostShare {
  const { workerId, hello, wideCores } = session;
  return { workerId, host: hello.host, cores: wideCores, shards: items.length };
}

function largestLoad({ assigned }: Plan): number {
  return Math.max(0, ...[...assigned.values()].map((shards) => shards.length));
}

function dataFor(needs: readonly ItemNeeds[]): Data {
  return {
    shards: new Set(needs.flatMap((need) => ('shard' in need ? need.shard : []))),
    batches: new Set(needs.flatMap((need) => ('batch' in need ? need.batch : []))),
  };
}

/** The worker that a plan names for each shard or batch. */
function plannedWorkers(plan: ReadonlyMap<string, readonly number[]>): Map<number, string> {
  return new Map([...plan].flatMap(([workerId, items]) => items.map((item) => [item, workerId] as const)));
}
