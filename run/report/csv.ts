import type { Confusion } from './confusion.js';
import { lectureWindow } from './running-mean.js';
import type { EpochSummary, RunSummary } from './summary.js';

type Cell = string | number | undefined;

/**
 * CSV by RFC 4180, with `\n` line ends: fields with a comma, quote or line break are quoted, undefined is an
 * empty field, numbers have full precision.
 */
export function formatCsv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  let text = formatRow(header);
  for (const row of rows) text += formatRow(row);
  return text;
}

function formatRow(cells: readonly Cell[]): string {
  return `${cells.map(formatCell).join(',')}\n`;
}

function formatCell(cell: Cell): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The loss of every step; a running mean is in the row of the last step that it covers. */
export function lossCsv(summary: RunSummary): string {
  return formatCsv(['step', 'epoch', 'loss', `running_mean_${lectureWindow}`], lossRows(summary));
}

function* lossRows({ steps, meanLosses }: RunSummary): Generator<Cell[]> {
  for (const [i, { step, epoch, loss }] of steps.entries()) {
    const mean = meanLosses[i - lectureWindow + 1];
    yield [step, epoch, loss, mean === undefined ? undefined : Number(mean.toPrecision(9))];
  }
}

/** One row per actual class, one column per predicted class. */
export function confusionCsv(confusion: Confusion, classes: readonly string[]): string {
  const rows = confusion.map((row, actual) => [classes[actual], ...row]);
  return formatCsv(['actual \\ predicted', ...classes], rows);
}

const epochHeader = [
  'epoch',
  'steps',
  'samples',
  'train_loss',
  'train_accuracy',
  'learning_rate',
  'seconds',
  'images_per_second',
  'test_loss',
  'test_accuracy',
];

/** One row per epoch, of which the last may be incomplete; the learning rate is that of the epoch's last step. */
export function epochsCsv(epochs: readonly EpochSummary[]): string {
  return formatCsv(
    epochHeader,
    epochs.map((epoch) => [
      epoch.epoch,
      epoch.steps,
      epoch.samples,
      Number(epoch.loss.toPrecision(9)),
      epoch.correct / epoch.samples,
      epoch.learningRate,
      Number(epoch.seconds.toFixed(3)),
      Number((epoch.samples / epoch.seconds).toFixed(1)),
      epoch.test?.loss,
      epoch.test && epoch.test.correct / epoch.test.total,
    ]),
  );
}
