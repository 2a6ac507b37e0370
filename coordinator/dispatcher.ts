import { decideAssignment } from '../job/assignment.js';
import { ClusterError } from '../proto/errors.js';
import { decideAuditor } from './decisions/audit.js';
import { decideOwners, splitBatches } from './decisions/owners.js';
import { decideStart } from './decisions/presence.js';
import { decideStandby } from './decisions/standby.js';
import type { Speculation } from './decisions/stragglers.js';
import { shardsIn, type Waiting } from './decisions/waiting.js';
import { decideWide, type HostShare } from './decisions/wide.js';
import type { RunEvents } from './events.js';
import { LateSteps } from './late-steps.js';
import type { Roster } from './roster.js';
import type { WorkerSession } from './session.js';
import type { StepWork, Task, TaskMessage } from './task.js';

export interface DispatcherOptions {
  readonly shards: number;
  readonly evaluationBatches: number;
  /** Workers that the first step waits for. */
  readonly wantedWorkers: number;
  readonly roster: Roster;
  readonly events: RunEvents;
  /** Called when no worker is left for the task in progress, with the reason, and without one when it goes on. */
  readonly onStuck: (reason: string | undefined) => void;
}

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
 * Gives the items of one task at a time to the workers that are there, and again to others when one is lost or late.
 *
 * Shards are assigned anew at the next step's begin when workers came or were late, at once when one is gone.
 */
export class Dispatcher {
  generation = 0;
  /** Nodes that were given to a second worker. */
  speculated = 0;
  #plan = noPlan;
  /** Shards that a worker was to fetch for an audit or for one that was late. */
  readonly #lent = new Map<string, Set<number>>();
  #changed = true;
  #task: Task | undefined;
  #stuck = false;
  #wake: (() => void) | undefined;
  readonly #late: LateSteps;

  constructor(private readonly options: DispatcherOptions) {
    const { roster, events } = options;
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

  /** Waits until `wanted` workers are ready. @throws ClusterError NO_WORKERS after `limitMs`, if there is a limit. */
  async waitForWorkers(
    wanted: number,
    limitMs: number | undefined,
    onWaiting: (reason: string) => void,
  ): Promise<void> {
    const { roster } = this.options;
    const deadline = performance.now() + (limitMs ?? Infinity);
    for (let told = ''; ;) {
      const decision = decideStart(roster.presence(), wanted);
      if (decision.start) return roster.forgetGone();
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        const limit = Math.round(limitMs! / 1000);
        throw new ClusterError('NO_WORKERS', `start: ${decision.reason} after ${limit} s; see the workers' logs`);
      }
      if (decision.reason !== told) onWaiting((told = decision.reason));
      await this.#changeOrTimeout(leftMs);
    }
  }

  /** Has the workers do `task`; settles with it. */
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

  /** Leaves the task in progress as it is; what still arrives for it is passed over. */
  drop(): void {
    this.#task = undefined;
  }

  close(): void {
    this.#late.close();
  }

  receive(session: WorkerSession, message: TaskMessage): void {
    if (this.#late.late.delete(session.workerId)) this.#changed = true;
    this.#task?.receive(session, message);
  }

  /** A worker joined, became ready, or now holds more shards. */
  workerChanged(session: WorkerSession, change: 'joined' | 'ready' | 'holding'): void {
    if (change === 'ready') this.#changed = true;
    if (change === 'joined') this.#offerData(session);
    this.#wake?.();
    if (this.#stuck && session.ready) this.#redo();
  }

  /** A worker is gone: what it had not delivered is computed by others, in the same step. */
  workerGone(session: WorkerSession): void {
    this.#task?.board.forget(session.workerId);
    this.#late.late.delete(session.workerId);
    this.#lent.delete(session.workerId);
    this.#changed = true;
    this.#wake?.();
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

  /** Lets a worker that still compiles fetch what it will hold; before the first step, once all wanted ones are there. */
  #offerData({ workerId }: WorkerSession): void {
    const { wantedWorkers, roster } = this.options;
    if (this.generation > 0) return this.#tell(workerId, this.#decide([...this.#present(), workerId]));
    const joined = roster.sessions.map((session) => session.workerId);
    const absent = Array.from({ length: Math.max(0, wantedWorkers - joined.length) }, (_, i) => `(absent ${i})`);
    const plan = this.#decide([...joined, ...absent]);
    for (const each of joined) this.#tell(each, plan);
  }

  /** Workers that compute, in the order in which they joined. */
  #present(): string[] {
    const candidates = this.#candidates();
    return this.options.roster.sessions.filter((s) => candidates.includes(s)).map(({ workerId }) => workerId);
  }

  #decide(workers: readonly string[]): Plan {
    const { shards, evaluationBatches, roster } = this.options;
    const holding = new Map(roster.sessions.map((session) => [session.workerId, session.holding]));
    const previous = this.#plan.assigned;
    const { assignment, reason } = decideAssignment({ shards, workers, previous, holding });
    const standby = decideStandby(assignment, holding);
    return { assigned: assignment, standby, batches: splitBatches(evaluationBatches, workers), reason };
  }

  #reassign(): void {
    const workers = this.#present();
    this.#changed = false;
    if (workers.length === 0) return;
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

  #tell(workerId: string, { assigned, standby, batches }: Plan): void {
    const lists = [assigned.get(workerId), standby.get(workerId), this.#lent.get(workerId)];
    const held = lists.flatMap((shards) => [...(shards ?? [])]);
    const evaluationBatches = [...(batches.get(workerId) ?? [])];
    const assignment = { generation: this.generation, shards: [...new Set(held)], evaluationBatches };
    this.options.roster.get(workerId)?.send({ assignment });
  }

  /** @param fresh - nothing of the task is under way, so it is known who has how much to do. */
  #dispatch({ fresh }: { readonly fresh: boolean }): void {
    const task = this.#task;
    if (!task) return;
    const { roster } = this.options;
    this.#noteStuck(roster.readySessions.length === 0 && !task.board.complete);
    const orders = [...task.board.order(this.#ownerOf(task))].flatMap(([workerId, items]) => {
      const session = roster.get(workerId);
      return session ? [{ session, items }] : [];
    });
    const wide = decideWide(fresh ? orders.map(hostShare) : []);
    for (const { session, items } of orders) {
      if (task.kind === 'step') this.#lend(session, task.auditedIn(items));
      task.order(session, items, this.generation, wide.get(session.workerId) ?? 0);
    }
  }

  /** Has a worker fetch shards that are not its own, if it lacks them. */
  #lend({ workerId, holding }: WorkerSession, shards: readonly number[]): void {
    const lent = this.#lent.get(workerId) ?? new Set();
    const lacking = shards.filter((shard) => !holding.has(shard) && !lent.has(shard));
    if (lacking.length === 0) return;
    this.#lent.set(workerId, new Set([...lent, ...lacking]));
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

  #ownerOf(task: Task): (item: number) => string | undefined {
    if (task.kind === 'step') return this.#shardOwners(task);
    const owners = new Map<number, string>();
    for (const [workerId, batches] of this.#plan.batches) for (const batch of batches) owners.set(batch, workerId);
    return (batch) => owners.get(batch);
  }

  #shardOwners(task: StepWork): (item: number) => string | undefined {
    const { shards } = this.options;
    const candidates = this.#candidates();
    const views = candidates.map(({ workerId, holding }) => ({ workerId, ready: true, holding }));
    const owners = decideOwners(shards, this.#plan.assigned, views);
    if (task.audited.length === 0) return (item) => owners[item];
    const loaded = views.map((view) => ({ ...view, load: owners.filter((owner) => owner === view.workerId).length }));
    return (item) => {
      if (item < shards) return owners[item];
      const shard = task.audited[item - shards]!;
      const first = task.deliveredBy.get(shard) ?? task.board.workersOf(shard)[0];
      return decideAuditor(shard, first, loaded);
    };
  }

  #speculate({ node, from, to }: Speculation, task: StepWork): void {
    const session = this.options.roster.get(to);
    if (!session) return;
    this.#changed = true;
    this.speculated++;
    this.#lend(session, shardsIn([node]));
    task.orderAlso(session, node, this.generation);
    this.options.events.emit({ type: 'speculation', step: task.step, shards: shardsIn([node]), from, to });
  }

  async #changeOrTimeout(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (limitMs < Infinity) timer = setTimeout(resolve, limitMs).unref();
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

function hostShare({ session, items }: { session: WorkerSession; items: readonly number[] }): HostShare {
  const { workerId, hello, wideCores } = session;
  return { workerId, host: hello.host, cores: wideCores, shards: items.length };
}

function largestLoad({ assigned }: Plan): number {
  return Math.max(0, ...[...assigned.values()].map((shards) => shards.length));
}
