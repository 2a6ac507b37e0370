/** Time in an API object. The client parses dates in lists but not in watches. */
export type ObjectTime = Date | string | undefined;

/** Milliseconds since 1970; undefined for a missing or invalid time. */
export function timeMs(time: ObjectTime): number | undefined {
  if (time === undefined) return undefined;
  const ms = time instanceof Date ? time.getTime() : Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Formats a time as the API server does: UTC, whole seconds. */
export function timeText(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000', '');
}

/** Formats a duration: 42s, 3m12s, 5h03m, 2d4h. Rounded up, so it is never 0s. */
export function formatSpan(seconds: number): string {
  const all = Math.max(1, Math.ceil(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const [minutes, hours, days] = [Math.floor(all / 60), Math.floor(all / 3600), Math.floor(all / 86_400)];
  if (days > 0) return `${days}d${hours % 24}h`;
  if (hours > 0) return `${hours}h${pad(minutes % 60)}m`;
  return minutes > 0 ? `${minutes}m${pad(all % 60)}s` : `${all}s`;
}
