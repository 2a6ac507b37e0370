import type { ReportInput } from './report-input.js';

/** What a report says of its result's bits. */
export const reproduciblePromise =
  'The result is a function of this spec and the data: the same bits for any number of workers of this engine and ' +
  'device class.';

/** The same of a run with `numerics: mixed` that admitted workers of other engine classes. */
export const notReproducible =
  'NOT REPRODUCIBLE: workers of several engine classes computed this run (numerics: mixed); another run may give ' +
  'other bits.';

/** What makes a result doubtful, one sentence each; nothing for most runs. */
export function doubts({ reproducible, counts }: Pick<ReportInput, 'reproducible' | 'counts'>): string[] {
  const { faults, skipped } = counts ?? { faults: 0, skipped: 0 };
  return [
    ...(reproducible ? [] : [notReproducible]),
    ...(faults > 0
      ? [`NUMERICS FAULTS: ${faults} time(s) two workers came to different bits for the same shards; see log.jsonl.`]
      : []),
    ...(skipped > 0 ? [`${skipped} step(s) left out, as their gradients were not finite; see log.jsonl.`] : []),
  ];
}
