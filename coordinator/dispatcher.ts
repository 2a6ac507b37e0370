import { decideAssignment } from '../job/assignment.js';
import { ClusterError } from '../proto/errors.js';
import { decideOwners, decideStart, splitBatches } from './decisions.js';
import type { RunEvents } from './events.js';
import type { Roster } from './roster.js';
import type { WorkerSession } from './session.js';
import type { Task, TaskMessage } from './task.js';

export interface DispatcherOptions {
  readonly shards: number;
  readonly evaluationBatches: number;
  /** Workers that the first step waits for. */
  readonly wantedWorkers: number;
  readonly roster: Roster;
  readonly events: RunEvents;
}

/**
 * Gives the items of one task at a time to the workers that are there, and again to others when one is lost.
 *
 * Shards are assigned anew at the next step's begin when workers came, at once when one is gone.
 */
export class Dispatcher {
  generation = 0;
  #assigned: ReadonlyMap<string, readonly number[]> = new Map();
  #batches: ReadonlyMap<string, readonly number[]> = new Map();
  #changed = true;
  #task: Task | undefined;
  #wake: (() => void) | undefined;

  constructor(private readonly options: DispatcherOptions) {}

  assignedTo(workerId: string): readonly number[] {
    return this.#assigned.get(workerId) ?? [];
  }

  /** Waits until `wanted` workers are ready. @throws ClusterError NO_WORKERS after `limitMs`. */
  async waitForWorkers(wanted: number, limitMs: number, onWaiting: (reason: string) => void): Promise<void> {
    const deadline = performance.now() + limitMs;
    for (let told = ''; ;) {
      const { sessions, readySessions } = this.options.roster;
      const decision = decideStart(readySessions.length, sessions.length, wanted);
      if (decision.start) return;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        const limit = Math.round(limitMs / 1000);
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
    this.#dispatch();
    try {
      await task.done;
    } finally {
      this.#task = undefined;
    }
  }

  /** Leaves the task in progress as it is; what still arrives for it is passed over. */
  drop(): void {
    this.#task = undefined;
  }

  receive(session: WorkerSession, message: TaskMessage): void {
    this.#task?.receive(session, message);
  }

  /** A worker joined, became ready, or now holds more shards. */
  workerChanged(session: WorkerSession, change: 'joined' | 'ready' | 'holding'): void {
    if (change !== 'holding') this.#changed = true;
    if (change === 'joined') this.#offerFirstData();
    this.#wake?.();
    const stuck = this.#task?.board.missing().some(({ workerId }) => workerId === undefined) ?? false;
    if (stuck && session.ready) this.#redo();
  }

  /** A worker is gone: what it had not delivered is computed by others, in the same step. */
  workerGone(session: WorkerSession): void {
    this.#task?.board.forget(session.workerId);
    this.#changed = true;
    this.#wake?.();
    if (this.#task) this.#redo();
  }

  #redo(): void {
    this.#reassign();
    this.#dispatch();
  }

  /** Before the first assignment: lets workers that still compile fetch what they will hold once all wanted ones are there. */
  #offerFirstData(): void {
    if (this.generation > 0) return;
    const { shards, evaluationBatches, wantedWorkers, roster } = this.options;
    const joined = roster.sessions.map(({ workerId }) => workerId);
    const absent = Array.from({ length: Math.max(0, wantedWorkers - joined.length) }, (_, i) => `(absent ${i})`);
    const workers = [...joined, ...absent];
    const { assignment } = decideAssignment({ shards, workers, previous: new Map() });
    const batches = splitBatches(evaluationBatches, workers);
    for (const workerId of joined) this.#tell(workerId, assignment.get(workerId) ?? [], batches.get(workerId) ?? []);
  }

  #reassign(): void {
    const { shards, evaluationBatches, roster, events } = this.options;
    const workers = roster.readySessions.map(({ workerId }) => workerId);
    this.#changed = false;
    if (workers.length === 0) return;
    const { assignment, reason } = decideAssignment({ shards, workers, previous: this.#assigned });
    this.#assigned = assignment;
    this.#batches = splitBatches(evaluationBatches, workers);
    this.generation++;
    for (const workerId of workers) this.#tell(workerId, this.assignedTo(workerId), this.#batches.get(workerId) ?? []);
    events.emit({ type: 'assignment', generation: this.generation, shards: Object.fromEntries(assignment), reason });
  }

  #tell(workerId: string, shards: readonly number[], batches: readonly number[]): void {
    const assignment = { generation: this.generation, shards: [...shards], evaluationBatches: [...batches] };
    this.options.roster.get(workerId)?.send({ assignment });
  }

  #dispatch(): void {
    const task = this.#task;
    if (!task) return;
    for (const [workerId, items] of task.board.order(this.#ownerOf(task))) {
      const session = this.options.roster.get(workerId);
      if (session) task.order(session, items, this.generation);
    }
  }

  #ownerOf(task: Task): (item: number) => string | undefined {
    if (task.kind === 'step') {
      const owners = decideOwners(this.options.shards, this.#assigned, this.options.roster.views());
      return (shard) => owners[shard];
    }
    const owners = new Map<number, string>();
    for (const [workerId, batches] of this.#batches) for (const batch of batches) owners.set(batch, workerId);
    return (batch) => owners.get(batch);
  }

  async #changeOrTimeout(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, limitMs);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
