/**
 * Milliseconds on the machine's monotonic clock, from a zero of its own. The same for all threads of a process, which
 * `performance.now()` is not, and untouched when somebody sets the time of day.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** Longest delay of a Node.js timer, in ms: 24.8 days. A timer with a longer one fires at once. */
export const maxTimerMs = 2 ** 31 - 1;

/** Limits a delay to that of a timer. The callback may come early, so it must check the time again. */
export function timerMs(ms: number): number {
  return Math.max(0, Math.min(ms, maxTimerMs));
}
