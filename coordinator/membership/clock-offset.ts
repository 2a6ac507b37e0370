import type { OffsetEstimate } from '../state/step-timing.js';

interface Bound {
  readonly valueMs: number;
  /** Time at which it was taken, on this clock. */
  readonly atMs: number;
}

/** Number of recent messages that are used, per direction. */
const kept = 64;
/** Upper bound of the drift between two clocks: quartz drifts up to 50 ppm, and time daemons rarely slew faster than 500. */
const driftPerMs = 1e-4;

/**
 * Estimates a worker's monotonic clock from the timestamps of ordinary messages.
 *
 * No message arrives before it is sent. So (received there − sent here) is never below the offset, and (sent there −
 * received here) never above it. The fastest message of each direction gives the tightest bound. This is NTP's method,
 * with the two directions chosen independently.
 */
export class ClockOffset {
  #upper: Bound[] = [];
  #lower: Bound[] = [];

  /** Records a message sent at `sentMs` on this clock and received at `receivedMs` on the other. */
  wentOut(sentMs: number, receivedMs: number): void {
    push(this.#upper, { valueMs: receivedMs - sentMs, atMs: sentMs });
  }

  /** Records a message sent at `sentMs` on the other clock and received at `receivedMs` on this one. */
  cameIn(sentMs: number, receivedMs: number): void {
    push(this.#lower, { valueMs: sentMs - receivedMs, atMs: receivedMs });
  }

  /** @returns undefined before a message of each direction is known. */
  estimate(nowMs: number): OffsetEstimate | undefined {
    const found = this.#interval(nowMs);
    if (!found || found.lower <= found.upper) return found && estimateOf(found);
    // One of the clocks has jumped, as after a machine's sleep, so earlier bounds are invalid.
    this.#upper = this.#upper.slice(-1);
    this.#lower = this.#lower.slice(-1);
    const again = this.#interval(nowMs);
    return again && again.lower <= again.upper ? estimateOf(again) : undefined;
  }

  #interval(nowMs: number): { lower: number; upper: number } | undefined {
    if (this.#upper.length === 0 || this.#lower.length === 0) return undefined;
    let [lower, upper] = [-Infinity, Infinity];
    for (const { valueMs, atMs } of this.#upper) upper = Math.min(upper, valueMs + (nowMs - atMs) * driftPerMs);
    for (const { valueMs, atMs } of this.#lower) lower = Math.max(lower, valueMs - (nowMs - atMs) * driftPerMs);
    return { lower, upper };
  }
}

function push(bounds: Bound[], bound: Bound): void {
  if (bounds.length === kept) bounds.shift();
  bounds.push(bound);
}

function estimateOf({ lower, upper }: { readonly lower: number; readonly upper: number }): OffsetEstimate {
  return { offsetMs: (lower + upper) / 2, errorMs: (upper - lower) / 2 };
}
