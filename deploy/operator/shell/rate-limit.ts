/** A token bucket: `perSecond` on average, `burst` at once. All times are of one monotonic clock, in milliseconds. */
export class RateLimit {
  #tokens: number;
  #atMs = -Infinity;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.#tokens = burst;
  }

  /** Takes a token, which may be one of the future. @returns how long its owner has to wait for it; 0: not at all. */
  take(nowMs: number): number {
    this.#refill(nowMs);
    this.#tokens -= 1;
    return this.#waitMs(nowMs);
  }

  /** Takes a token if there is one. */
  tryTake(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Lets nobody through before `untilMs`. */
  holdUntil(untilMs: number): void {
    if (untilMs <= this.#atMs) return;
    this.#tokens = Math.min(this.#tokens, 0);
    this.#atMs = untilMs;
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return;
    this.#tokens = Math.min(this.burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.perSecond);
    this.#atMs = nowMs;
  }

  #waitMs(nowMs: number): number {
    const heldMs = Math.max(0, this.#atMs - nowMs);
    return this.#tokens >= 0 ? heldMs : heldMs + (-this.#tokens / this.perSecond) * 1000;
  }
}
