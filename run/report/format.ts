/** Number formats of the report's page, charts and terminal lines. */

/** `10201` → `10,201` */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** 0.7361 → `73.6 %`; NaN → `–` */
export function formatShare(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '–';
}

/** The lecture's form of a test result: `6285/10000 (63%)`. */
export function formatScore({ correct, total }: { correct: number; total: number }): string {
  return `${correct}/${total} (${((100 * correct) / total).toFixed(0)}%)`;
}

/** 8.4 → `8.4 s`, 112 → `1 min 52 s`, 7380 → `2 h 3 min` */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `1 worker`, `2 workers`, `1,435 steps` */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
