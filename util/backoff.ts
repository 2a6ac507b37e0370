/** How long to wait before another try. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Delay before try number `failures` + 1: doubles from `firstMs` to `maxMs`, and is then shortened by up to half, so
 * that what failed together does not come again together.
 * @param failures - failed tries in a row, from 1.
 * @param random - from 0 to 1.
 */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number, random: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (1 - random / 2));
}

/** A time around `ms`, up to a fifth shorter or longer, so that what began together drifts apart. */
export function jitterMs(ms: number, random: number): number {
  return Math.round(ms * (0.8 + 0.4 * random));
}
