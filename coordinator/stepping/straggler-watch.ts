import type { Roster } from '../membership/roster.js';
import type { WorkerSession } from '../membership/session.js';
import type { RunEvents } from '../state/events.js';
import type { Owed, Waiting } from '../state/waiting.js';
import { type Backup, decideBackups, type MissingNode, overdueAfterMs, UsualTime } from './decisions/stragglers.js';
import { decidePhase, decideWaiting, reportAfterMs, shardsIn } from './decisions/waiting.js';
import type { StepTask } from './step-task.js';

const checkEveryMs = 100;
/** Shortest time between two reports of a wait. */
const reportEveryMs = 1_000;
/** Longest pause between bytes of a transfer in progress. */
const movingMs = 2_000;

export interface StragglerWatchOptions {
  readonly roster: Roster;
  readonly events: RunEvents;
  /** Workers that may compute a straggler's node, in order of preference. */
  readonly candidates: () => readonly WorkerSession[];
  /** Dispatches a straggler's node to its backup. */
  readonly onBackup: (backup: Backup, task: StepTask) => void;
}

/** Watches the current step: reports the workers that hold it up, and chooses backups for them. */
export class StragglerWatch {
  readonly usual = new UsualTime();
  /** Workers that have a backup and haven't answered since. */
  readonly stragglers = new Set<string>();
  /** Workers holding up the current step; undefined unless it is overdue. */
  waiting: Waiting | undefined;
  #current: { readonly task: StepTask; readonly beginMs: number } | undefined;
  #reportedMs = -Infinity;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly options: StragglerWatchOptions) {
    this.#timer = setInterval(() => this.check(performance.now()), checkEveryMs).unref();
  }

  begin(task: StepTask, nowMs: number): void {
    this.#current = { task, beginMs: nowMs };
  }

  /** To be called when the step is committed, skipped or abandoned. */
  end(nowMs: number): void {
    if (this.#current) this.usual.add(nowMs - this.#current.beginMs);
    this.#current = undefined;
    this.waiting = undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  check(nowMs: number): void {
    if (!this.#current) return;
    const { task, beginMs } = this.#current;
    const usualMs = this.usual.medianMs();
    const timing = { nowMs, beginMs, usualMs };
    this.waiting = undefined;
    if (nowMs - beginMs <= Math.min(overdueAfterMs(usualMs), reportAfterMs(usualMs))) return;
    const missing = task.missingNodes();
    const idle = this.#idle(missing.flatMap(({ workerIds }) => workerIds));
    const moving = this.#moving(nowMs);
    for (const backup of decideBackups({ ...timing, missing, moving, idle })) {
      this.stragglers.add(backup.from);
      this.options.onBackup(backup, task);
    }
    this.waiting = decideWaiting({ ...timing, step: task.step, owed: this.#owed(task, missing) });
    if (!this.waiting || nowMs - this.#reportedMs < reportEveryMs) return;
    this.#reportedMs = nowMs;
    this.options.events.emit({ type: 'waiting', ...this.waiting });
  }

  #idle(busy: readonly string[]): readonly WorkerSession[] {
    return this.options.candidates().filter(({ workerId }) => !busy.includes(workerId));
  }

  /** Workers with a vector in transfer, in either direction. Other messages of a worker are seconds apart. */
  #moving(nowMs: number): ReadonlySet<string> {
    const isMoving = ({ heartbeat, lastBytesMs }: WorkerSession) =>
      heartbeat?.phase === 'receiving' || nowMs - lastBytesMs < movingMs;
    return new Set(this.options.roster.readySessions.filter(isMoving).map(({ workerId }) => workerId));
  }

  #owed(task: StepTask, nodes: readonly MissingNode[]): Owed[] {
    return [...new Set(nodes.flatMap(({ workerIds }) => workerIds))].flatMap((workerId) => {
      const session = this.options.roster.get(workerId);
      if (!session) return [];
      const own = nodes.filter(({ workerIds }) => workerIds.includes(workerId)).map(({ node }) => node);
      return [
        { workerId, shards: shardsIn(own), phase: decidePhase(task.isSending(session), session.heartbeat?.phase) },
      ];
    });
  }
}
