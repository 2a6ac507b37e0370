/** Delays between attempts to reach the coordinator: doubling from 0.25 s to 4 s. */
const firstMs = 250;
const longestMs = 4_000;

/**
 * How long to wait before attempt `attempt` (from 1), with up to a quarter taken off at random, so that many workers
 * do not come at once.
 * @param random - a number from 0 to 1.
 */
export function backoffMs(attempt: number, random: number): number {
  let ms = firstMs;
  for (let i = 1; i < attempt && ms < longestMs; i++) ms *= 2;
  return Math.round(Math.min(ms, longestMs) * (1 - random / 4));
}
