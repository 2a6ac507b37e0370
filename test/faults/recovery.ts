import type { PlannedFault } from './plan.js';

/** A fault that has struck. */
export interface FiredFault {
  readonly planned: PlannedFault;
  /** The step that was in progress. */
  readonly step: number;
  /**
   * Milliseconds from the fault until that step was committed, which the dispatch of a later one shows; for a restarted
   * coordinator, from its start to its first commit. Undefined until then.
   */
  recoveredMs?: number;
}

/** Measures recovery times after faults, from the Compute messages that pass the proxies. */
export class RecoveryClock {
  readonly fired: FiredFault[] = [];
  /** The step dispatched last; -1 before any. */
  step = -1;
  #waiting: { readonly fault: FiredFault; readonly sinceMs: number }[] = [];

  /** A fault has struck. */
  struck(planned: PlannedFault, nowMs: number): void {
    const fault: FiredFault = { planned, step: this.step };
    this.fired.push(fault);
    this.#waiting.push({ fault, sinceMs: nowMs });
  }

  /** `step` was dispatched to a worker. */
  dispatched(step: number, nowMs: number): void {
    if (step <= this.step) return;
    const commits = this.step >= 0;
    this.step = step;
    if (!commits) return;
    for (const { fault, sinceMs } of this.#waiting) fault.recoveredMs = nowMs - sinceMs;
    this.#waiting = [];
  }

  /** The coordinator was restarted; it may begin at an earlier step. */
  restarted(nowMs: number): void {
    this.step = -1;
    this.#waiting = this.#waiting.map(({ fault }) => ({ fault, sinceMs: nowMs }));
  }
}
