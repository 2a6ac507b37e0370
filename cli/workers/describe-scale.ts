import { formatPlural } from '../../run/report/format.js';

/** What scaling does, in words. @param shards - workers beyond their number have nothing to compute. */
export function describeScale(before: number, after: number, shards: number): string {
  const change = describeChange(before, after);
  if (after === 0) return `${change}; the run waits until scale starts some again`;
  const idle = after - shards;
  if (idle <= 0) return `${change}; ${formatPlural(after, 'worker')} in all`;
  const standby = `${idle} ${idle === 1 ? 'stands' : 'stand'} by, as the job has ${formatPlural(shards, 'shard')}`;
  return `${change}; ${formatPlural(after, 'worker')} in all, of which ${standby}`;
}

function describeChange(before: number, after: number): string {
  if (after === before) return 'nothing to do';
  if (after > before) return `starting ${formatPlural(after - before, 'worker')}`;
  const leaving = before - after;
  return `${formatPlural(leaving, 'worker')} ${leaving === 1 ? 'leaves' : 'leave'} after what ${leaving === 1 ? 'it computes' : 'they compute'}`;
}
