import { ClusterError } from '../../proto/errors.js';
import { decideLost, type Presence } from './presence.js';
import type { WorkerSession } from './session.js';

const checkEveryMs = 250;
/** Maximum number of absent workers that a reason names. */
const maxGone = 8;

/** The workers of a run, in the order in which they joined. */
export class Roster {
  readonly #sessions = new Map<string, WorkerSession>();
  readonly #gone = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #lastCheckMs = performance.now();

  /** @param onLost - called when a worker was silent for longer than `limitMs` and has been removed. */
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

  /** Ready and compiling workers, and those gone since `forgetGone` was last called. */
  presence(): Presence {
    const ids = (sessions: readonly WorkerSession[]) => sessions.map(({ workerId }) => workerId);
    const compiling = this.sessions.filter((session) => session.ready === undefined);
    return { ready: ids(this.readySessions), compiling: ids(compiling), gone: [...this.#gone] };
  }

  /** Clears the list of absent workers. To be called when enough workers are ready again. */
  forgetGone(): void {
    this.#gone.clear();
  }

  /** @throws ClusterError DUPLICATE_WORKER if a worker with that id is connected. */
  add(session: WorkerSession): void {
    if (this.#sessions.has(session.workerId)) {
      throw new ClusterError(
        'DUPLICATE_WORKER',
        `join: expected a unique worker id, got ${session.workerId}, which is connected; give each worker process an id of its own`,
      );
    }
    this.#sessions.set(session.workerId, session);
    this.#gone.delete(session.workerId);
  }

  /** @returns false if the session wasn't in the roster. */
  remove(session: WorkerSession): boolean {
    if (this.#sessions.get(session.workerId) !== session) return false;
    this.#sessions.delete(session.workerId);
    if (this.#gone.size < maxGone) this.#gone.add(session.workerId);
    return true;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(nowMs: number): void {
    const blockedMs = Math.max(0, nowMs - this.#lastCheckMs - checkEveryMs);
    this.#lastCheckMs = nowMs;
    for (const session of this.#sessions.values()) {
      session.noteBytes(nowMs);
      session.excuse(blockedMs, nowMs);
    }
    for (const workerId of decideLost(this.sessions, nowMs, this.limitMs)) {
      const session = this.#sessions.get(workerId)!;
      const silent = ((nowMs - session.lastHeardMs) / 1000).toFixed(1);
      const limit = (this.limitMs / 1000).toFixed(1);
      const error = new ClusterError(
        'LOST',
        `heartbeat: expected a message from ${workerId} within ${limit} s, got none for ${silent} s`,
      );
      this.remove(session);
      this.onLost(session, error);
      session.reject(error);
    }
  }
}
