/** Token bucket: `perSecond` on average, bursts of `burst`. All times are monotonic, in milliseconds. */
export class RateLimit {
  #tokens: number;
  #atMs = -Infinity;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.#tokens = burst;
  }

  /** Takes a token if one is available. */
  tryTake(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Time until a token is available; 0: now. */
  untilNextMs(nowMs: number): number {
    this.#refill(nowMs);
    return Math.max(0, this.#atMs - nowMs) + (Math.max(0, 1 - this.#tokens) / this.perSecond) * 1000;
  }

  /** Provides no token before `untilMs`. */
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
}
