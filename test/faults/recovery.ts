import type { PlannedFault } from './plan.js';

/** A fault that has struck. */
export interface FiredFault {
  readonly planned: PlannedFault;
  /** The step that was under way. */
  readonly step: number;
  /**
   * Milliseconds from the fault until that step was committed, as the order of a later one shows; for a coordinator
   * that was started again, from its start to its first commit. Undefined while that is to come.
   */
  recoveredMs?: number;
}

/** Measures how soon training goes on after a fault, from the orders that pass the proxies. */
export class RecoveryClock {
  readonly fired: FiredFault[] = [];
  /** The step that was ordered last; -1 before any. */
  step = -1;
  #waiting: { readonly fault: FiredFault; readonly sinceMs: number }[] = [];

  /** A fault has struck. */
  struck(planned: PlannedFault, nowMs: number): void {
    const fault: FiredFault = { planned, step: this.step };
    this.fired.push(fault);
    this.#waiting.push({ fault, sinceMs: nowMs });
  }

  /** A worker was ordered to compute `step`. */
  ordered(step: number, nowMs: number): void {
    if (step <= this.step) return;
    const commits = this.step >= 0;
    this.step = step;
    if (!commits) return;
    for (const { fault, sinceMs } of this.#waiting) fault.recoveredMs = nowMs - sinceMs;
    this.#waiting = [];
  }

  /** The coordinator was started again; it may begin at an earlier step. */
  restarted(nowMs: number): void {
    this.step = -1;
    this.#waiting = this.#waiting.map(({ fault }) => ({ fault, sinceMs: nowMs }));
  }
}
