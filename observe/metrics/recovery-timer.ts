/** More workers than this are not lost between two steps and still waited for one by one. */
const maxPending = 1_000;

/** Takes the time from each loss of a worker to the next committed step. */
export class RecoveryTimer {
  #lostAtMs: number[] = [];

  lost(nowMs: number): void {
    if (this.#lostAtMs.length < maxPending) this.#lostAtMs.push(nowMs);
  }

  /** @returns how long each loss since the step before took to be made good, in ms. */
  committed(nowMs: number): number[] {
    if (this.#lostAtMs.length === 0) return this.#lostAtMs;
    const times = this.#lostAtMs.map((lostAtMs) => nowMs - lostAtMs);
    this.#lostAtMs = [];
    return times;
  }
}
