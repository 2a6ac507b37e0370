/** Delays between attempts: doubled from `firstMs` to `maxMs`. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Largest share of a delay to subtract at random, so that clients that failed together don't retry together; default: 0.5. */
  readonly jitter?: number;
}

/**
 * Delay before the next attempt, in whole milliseconds.
 * @param failures - failed attempts in a row, from 1.
 * @param random - from 0 to 1.
 */
export function backoffMs({ firstMs, maxMs, jitter = 0.5 }: Backoff, failures: number, random: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (1 - random * jitter));
}

/** `ms` made up to a fifth shorter or longer at random, so that periodic work of many processes drifts apart. */
export function jitterMs(ms: number, random: number): number {
  return Math.round(ms * (0.8 + 0.4 * random));
}
