import type { OffsetEstimate } from '../state/step-timing.js';

interface Bound {
  readonly valueMs: number;
  /** When it was taken, on this clock. */
  readonly atMs: number;
}

/** Messages of each direction that are looked at. */
const kept = 64;
/** Two clocks drift apart by less: quartz does by up to 50 ppm, and time daemons slew no faster than 500 for long. */
const driftPerMs = 1e-4;

/**
 * Estimates a worker's monotonic clock from the stamps of messages that are sent anyway.
 *
 * No message arrives before it is sent. So (received there − sent here) is never below the offset, and (sent there −
 * received here) never above it; the quickest message of each direction bounds it best. This is NTP's way, with the two
 * directions chosen independently.
 */
export class ClockOffset {
  #upper: Bound[] = [];
  #lower: Bound[] = [];

  /** A message went out at `sentMs` on this clock, and came in at `receivedMs` on the other. */
  wentOut(sentMs: number, receivedMs: number): void {
    push(this.#upper, { valueMs: receivedMs - sentMs, atMs: sentMs });
  }

  /** A message was sent at `sentMs` on the other clock, and came in at `receivedMs` on this one. */
  cameIn(sentMs: number, receivedMs: number): void {
    push(this.#lower, { valueMs: sentMs - receivedMs, atMs: receivedMs });
  }

  /** @returns undefined until a message of each direction is known. */
  estimate(nowMs: number): OffsetEstimate | undefined {
    const found = this.#interval(nowMs);
    if (!found || found.lower <= found.upper) return found && estimateOf(found);
    // One of the clocks has jumped, as when a machine slept: what was known before is worth nothing.
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
