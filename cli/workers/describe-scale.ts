import { formatPlural } from '../../run/report/format.js';

/** Effect of scaling, in words. @param shards - more workers than shards are idle. */
export function describeScale(before: number, after: number, shards: number): string {
  const change = describeChange(before, after);
  if (after === 0) return `${change}; the run waits until scale starts more`;
  const idle = after - shards;
  if (idle <= 0) return `${change}; ${formatPlural(after, 'worker')} in total`;
  return `${change}; ${formatPlural(after, 'worker')} in total, ${idle} of them idle: the job has ${formatPlural(shards, 'shard')}`;
}

function describeChange(before: number, after: number): string {
  if (after === before) return 'no change';
  if (after > before) return `starting ${formatPlural(after - before, 'worker')}`;
  const leaving = before - after;
  return `${formatPlural(leaving, 'worker')} will stop after ${leaving === 1 ? 'its' : 'their'} current step`;
}
