/**
 * Milliseconds on the machine's monotonic clock, whose zero is arbitrary. Unlike `performance.now()` it is the same in all
 * threads of a process; changes of the time of day don't affect it.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** Longest delay of a Node.js timer, in ms: 24.8 days. A timer with a longer one fires at once. */
export const maxTimerMs = 2 ** 31 - 1;

/** Clamps a delay to the range of a timer. The callback may run early, so it must check the time again. */
export function timerMs(ms: number): number {
  return Math.max(0, Math.min(ms, maxTimerMs));
}
