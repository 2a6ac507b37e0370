import { ClusterError } from '../proto/errors.js';
import { decideLost, type WorkerView } from './decisions.js';
import type { WorkerSession } from './session.js';

const checkEveryMs = 250;

/** The workers of a run, in the order in which they joined. */
export class Roster {
  readonly #sessions = new Map<string, WorkerSession>();
  readonly #timer: NodeJS.Timeout;
  #lastCheckMs = performance.now();

  /** @param onLost - called when a worker was silent past `limitMs`; it has been removed by then. */
  constructor(
    readonly limitMs: number,
    private readonly onLost: (session: WorkerSession, error: ClusterError) => void,
  ) {
    this.#timer = setInterval(() => this.#check(performance.now()), checkEveryMs).unref();
  }

  get sessions(): WorkerSession[] {
    return [...this.#sessions.values()];
  }

  get readySessions(): WorkerSession[] {
    return this.sessions.filter((session) => session.ready !== undefined);
  }

  get(workerId: string): WorkerSession | undefined {
    return this.#sessions.get(workerId);
  }

  views(): WorkerView[] {
    return this.sessions.map(({ workerId, ready, holding }) => ({ workerId, ready: ready !== undefined, holding }));
  }

  /** @throws ClusterError DUPLICATE_WORKER when a worker of that name is there. */
  add(session: WorkerSession): void {
    if (this.#sessions.has(session.workerId)) {
      throw new ClusterError(
        'DUPLICATE_WORKER',
        `join: expected a worker id of its own, got ${session.workerId}, which is connected; each worker process needs its own id`,
      );
    }
    this.#sessions.set(session.workerId, session);
  }

  /** @returns false when it was gone already. */
  remove(session: WorkerSession): boolean {
    return this.#sessions.get(session.workerId) === session && this.#sessions.delete(session.workerId);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(nowMs: number): void {
    const lateMs = nowMs - this.#lastCheckMs - checkEveryMs;
    this.#lastCheckMs = nowMs;
    for (const workerId of decideLost(this.sessions, nowMs, this.limitMs, lateMs)) {
      const session = this.#sessions.get(workerId)!;
      const silent = ((nowMs - session.lastHeardMs) / 1000).toFixed(1);
      const limit = (this.limitMs / 1000).toFixed(1);
      const error = new ClusterError(
        'LOST',
        `heartbeat: expected a message from ${workerId} within ${limit} s, got none for ${silent} s; its shards go to others`,
      );
      this.#sessions.delete(workerId);
      this.onLost(session, error);
      session.refuse(error);
    }
  }
}
