/**
 * Milliseconds on the machine's monotonic clock, from a zero of its own. The same for all threads of a process, which
 * `performance.now()` is not, and untouched when somebody sets the time of day.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
