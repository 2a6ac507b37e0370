import { classAccuracies, type Confusion } from './confusion.js';
import { formatCount, formatDuration, formatPlural, formatScore, formatShare } from './format.js';
import { doubts } from './numerics.js';
import type { ReportInput } from './report-input.js';
import { summarise } from './summary.js';

export { formatProgress } from './progress-line.js';

/**
 * The confusion matrix as an aligned plain-text table with the accuracy of each class in the last column.
 *
 * Column heads are cut to the width of the counts, at least four letters, so that ten classes fit into 80 columns;
 * columns are in the order of the rows, which have the full names.
 */
export function formatConfusion(confusion: Confusion, classes: readonly string[]): string {
  const widest = Math.max(0, ...confusion.flat().map((count) => String(count).length));
  const width = Math.max(4, widest);
  const heads = classes.map((name) => name.slice(0, width));
  const names = ['actual', ...classes];
  const nameWidth = Math.max(...names.map((name) => name.length));
  const line = (name: string, cells: readonly (string | number)[], last: string) =>
    [name.padEnd(nameWidth), ...cells.map((cell) => String(cell).padStart(width)), last.padStart(8)].join(' ');
  const accuracies = classAccuracies(confusion);
  const rows = confusion.map((row, actual) =>
    line(classes[actual] ?? String(actual), row, formatShare(accuracies[actual]?.accuracy ?? NaN)),
  );
  return [`${' '.repeat(nameWidth)} predicted`, line('actual', heads, 'accuracy'), ...rows].join('\n');
}

/** The last lines printed after training, the result in the lecture's form first. No colours, no closing newline. */
export function formatSummary(input: ReportInput): string {
  const { lastEvaluation, rateSamplesPerSecond } = summarise(input);
  const { spec, dataset, steps, stepsPerEpoch } = input;
  const rate = rateSamplesPerSecond === undefined ? [] : [`${formatCount(rateSamplesPerSecond)} images/s`];
  const effort = [
    `${formatPlural(steps.length, 'step')} in ${formatDuration(input.seconds)}`,
    ...rate,
    formatPlural(input.workers, 'worker'),
  ];
  return [
    ...(dataset.synthetic ? [`NOT CIFAR-10: trained and tested on the ${dataset.title}.`] : []),
    ...(input.outcome === 'stopped' ? [`Stopped after step ${steps.length} of ${spec.epochs * stepsPerEpoch}.`] : []),
    ...doubts(input),
    lastEvaluation
      ? `Test set: Average loss: ${lastEvaluation.loss.toFixed(4)}, Accuracy: ${formatScore(lastEvaluation)}`
      : 'Test set: not evaluated',
    `${spec.name} on ${dataset.title}: ${effort.join(', ')}`,
    `${input.outcome === 'stopped' ? `Digest after step ${steps.length}` : 'Final digest'}: ${input.finalDigest}`,
  ].join('\n');
}
