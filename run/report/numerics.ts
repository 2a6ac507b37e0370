import { formatPlural } from './format.js';
import type { ReportInput } from './report-input.js';

/** A report's statement on reproducibility. */
export const reproduciblePromise =
  'The result is a function of this spec and the data: the same bits for any number of workers, on every CPU, or ' +
  'with engine onnx or tensorflow on the same kind of device.';

/** Statement for a run with `numerics: mixed` that admitted workers of other engine classes. */
export const notReproducible =
  'NOT REPRODUCIBLE: workers of several engine classes computed this run (numerics: mixed); another run may give ' +
  'other results.';

/** Reasons to doubt a result, one sentence each; empty for most runs. */
export function doubts({ reproducible, counts }: Pick<ReportInput, 'reproducible' | 'counts'>): string[] {
  const { faults, skipped } = counts ?? { faults: 0, skipped: 0 };
  return [
    ...(reproducible ? [] : [notReproducible]),
    ...(faults > 0
      ? [
          `NUMERICS FAULTS: two workers computed different results for the same shards (${formatPlural(faults, 'time')}); see log.jsonl.`,
        ]
      : []),
    ...(skipped > 0
      ? [`${formatPlural(skipped, 'step')} skipped because of non-finite gradients; see log.jsonl.`]
      : []),
  ];
}
