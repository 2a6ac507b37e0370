import {
  decideSpeculation,
  lateAfterMs,
  type MissingNode,
  type Speculation,
  UsualTime,
} from './decisions/stragglers.js';
import { decidePhase, decideWaiting, type Owed, shardsIn, tellAfterMs, type Waiting } from './decisions/waiting.js';
import type { RunEvents } from '../state/events.js';
import type { Roster } from '../membership/roster.js';
import type { WorkerSession } from '../membership/session.js';
import type { StepWork } from './task.js';

const checkEveryMs = 100;
/** A wait is told of no more often than this. */
const tellEveryMs = 1_000;
/** Longest pause between bytes of a transfer in progress. */
const movingMs = 2_000;

export interface LateStepsOptions {
  readonly roster: Roster;
  readonly events: RunEvents;
  /** Workers that may be given a node that another is late with, in order of preference. */
  readonly candidates: () => readonly WorkerSession[];
  /** Gives a node to a second worker. */
  readonly give: (speculation: Speculation, task: StepWork) => void;
}

/** Watches over the step in progress: says whom a late one waits for, and has idle workers compute what is missing. */
export class LateSteps {
  readonly usual = new UsualTime();
  /** Workers whose work was given to others as well, and that have not answered since. */
  readonly late = new Set<string>();
  /** Whom the step in progress waits for, if it is late. */
  waiting: Waiting | undefined;
  #current: { readonly task: StepWork; readonly beginMs: number } | undefined;
  #toldMs = -Infinity;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly options: LateStepsOptions) {
    this.#timer = setInterval(() => this.check(performance.now()), checkEveryMs).unref();
  }

  begin(task: StepWork, nowMs: number): void {
    this.#current = { task, beginMs: nowMs };
  }

  /** The step is over: committed, or abandoned. */
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
    if (nowMs - beginMs <= Math.min(lateAfterMs(usualMs), tellAfterMs(usualMs))) return;
    const missing = task.missingNodes();
    const idle = this.#idle(missing.flatMap(({ workerIds }) => workerIds));
    const moving = this.#moving(nowMs);
    for (const speculation of decideSpeculation({ ...timing, missing, moving, idle })) {
      this.late.add(speculation.from);
      this.options.give(speculation, task);
    }
    this.waiting = decideWaiting({ ...timing, step: task.step, owed: this.#owed(task, missing) });
    if (!this.waiting || nowMs - this.#toldMs < tellEveryMs) return;
    this.#toldMs = nowMs;
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

  #owed(task: StepWork, nodes: readonly MissingNode[]): Owed[] {
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
