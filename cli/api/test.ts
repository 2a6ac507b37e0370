import { z } from 'zod';
import { lastRows, scoreRows } from '../../coordinator/stepping/evaluation.js';
import type { EvaluationRecord, TestRow } from '../../run/records.js';
import { mostConfused } from '../../run/report/confusion.js';
import { formatScore, formatShare } from '../../run/report/format.js';
import { formatConfusion } from '../../run/report/terminal.js';
import type { TrainedModel } from '../../run/model/trained-model.js';
import { classifier } from '../model/model-source.js';
import type { Dataset } from '../../data/dataset.js';
import { imageSheet } from '../../data/explore.js';
import { datasetDigest } from '../../data/chunks.js';
import { JobError } from '../../job/errors.js';
import type { JobManifest } from '../../job/manifest.js';
import { checkArgument } from './check-options.js';
import { Picture } from './picture.js';

/** Results of a trained model on the test images. */
export interface Tested extends Pick<EvaluationRecord, 'loss' | 'correct' | 'total' | 'confusion'> {
  /** Loss and accuracy in the lecture's format. */
  readonly summary: string;
  /** The confusion matrix as a text table. */
  readonly table: string;
  /** Log-probabilities, predicted and true classes of the last four test images, as in the lecture. */
  readonly lastRows: readonly TestRow[];
  /** The last four test images. */
  lastImages(): Picture;
  /** Test images of the most frequent confusions, one row per pair of classes. */
  mistakes(cells?: number, perCell?: number): Picture;
}

/** @throws JobError BAD_DATA unless the dataset is the one that the model was trained on. */
export async function testModel(model: TrainedModel, job: JobManifest, dataset: Dataset): Promise<Tested> {
  if (datasetDigest(dataset) !== job.dataset.digest) {
    const found = `expected the run's dataset, ${job.dataset.title}, got ${dataset.title}`;
    throw new JobError('BAD_DATA', `test: ${found}; call loadDataset with the run's limit and data`);
  }
  const { classes, test } = dataset;
  const rows = await classifier(model, job.spec.evaluation.batch)(test.count, test.images);
  const score = scoreRows(rows, test.labels, classes.length, { step: 0, epoch: 0 });
  const { loss, correct, total, confusion } = score;
  const last = lastRows(rows, test.labels, classes.length, 4);
  const answers = lastRows(rows, test.labels, classes.length, test.count);
  return {
    ...{ loss, correct, total, confusion, lastRows: last },
    summary: `Test set: Average loss: ${loss.toFixed(4)}, Accuracy: ${formatScore(score)}`,
    table: formatConfusion(confusion, classes),
    lastImages: () => sheet(dataset, [last], last.map((row) => describeAnswer(classes, row)).join(', ')),
    mistakes: (cells = 5, perCell = 10) => {
      checkArgument('mistakes', 'cells', z.int().min(1).max(1000), cells);
      checkArgument('mistakes', 'perCell', z.int().min(1).max(1000), perCell);
      return mistakes(dataset, confusion, answers, { cells, perCell });
    },
  };
}

function mistakes(
  dataset: Dataset,
  confusion: Tested['confusion'],
  answers: readonly TestRow[],
  { cells, perCell }: { readonly cells: number; readonly perCell: number },
): Picture {
  const pairs = mostConfused(confusion, cells);
  const rows = pairs.map(({ actual, predicted }) =>
    answers.filter((answer) => answer.label === actual && answer.predicted === predicted).slice(0, perCell),
  );
  const names = pairs.map(({ actual, predicted, count, share }) => {
    return `${dataset.classes[actual]} predicted as ${dataset.classes[predicted]}: ${count} (${formatShare(share)})`;
  });
  return sheet(dataset, rows, names.join('\n'));
}

function sheet({ imageShape, test }: Dataset, rows: readonly (readonly TestRow[])[], caption: string): Picture {
  const indices = rows.map((row) => row.map(({ index }) => index));
  return new Picture(imageSheet(test, imageShape, indices), caption);
}

function describeAnswer(classes: readonly string[], { label, predicted }: TestRow): string {
  const answer = label === predicted ? 'correct' : `predicted as ${classes[predicted]}`;
  return `${classes[label]}: ${answer}`;
}
