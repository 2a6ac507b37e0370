/** Maximum number of losses timed between two steps. */
const maxPending = 1_000;

/** Measures the time from each loss of a worker to the next committed step. */
export class RecoveryTimer {
  #lostAtMs: number[] = [];

  lost(nowMs: number): void {
    if (this.#lostAtMs.length < maxPending) this.#lostAtMs.push(nowMs);
  }

  /** @returns recovery times of the losses since the previous step, in ms. */
  committed(nowMs: number): number[] {
    if (this.#lostAtMs.length === 0) return this.#lostAtMs;
    const times = this.#lostAtMs.map((lostAtMs) => nowMs - lostAtMs);
    this.#lostAtMs = [];
    return times;
  }
}
