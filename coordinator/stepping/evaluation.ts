import type { Predictions } from '../../run/predictions-csv.js';
import type { EvaluationRecord, TestRow } from '../../run/records.js';

/** Loss, accuracy and confusion matrix from log-softmax rows `[N, classes]`, summed in the order of the test set. */
export function scoreRows(
  rows: Float32Array,
  labels: Uint8Array,
  classes: number,
  at: { readonly step: number; readonly epoch: number },
): EvaluationRecord {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let loss = 0;
  let correct = 0;
  for (let image = 0; image < labels.length; image++) {
    const label = labels[image]!;
    const predicted = predictedClass(rows, image, classes);
    loss -= rows[image * classes + label]!;
    if (predicted === label) correct++;
    confusion[label]![predicted]!++;
  }
  return { ...at, loss: loss / labels.length, correct, total: labels.length, confusion };
}

/** The last `count` test images with their rows, as the lecture prints them. */
export function lastRows(rows: Float32Array, labels: Uint8Array, classes: number, count: number): TestRow[] {
  const first = Math.max(0, labels.length - count);
  return Array.from({ length: labels.length - first }, (_, i) => {
    const index = first + i;
    return {
      index,
      logProbabilities: [...rows.subarray(index * classes, (index + 1) * classes)],
      predicted: predictedClass(rows, index, classes),
      label: labels[index]!,
    };
  });
}

/** Predicted class of every image, with the model's confidence in it. */
export function predict(rows: Float32Array, images: number, classes: number): Predictions {
  const predicted = new Uint8Array(images);
  const confidence = new Float32Array(images);
  for (let image = 0; image < images; image++) {
    const best = predictedClass(rows, image, classes);
    predicted[image] = best;
    confidence[image] = Math.exp(rows[image * classes + best]!);
  }
  return { predicted, confidence };
}

/** The first class with the highest log-probability. */
function predictedClass(rows: Float32Array, image: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) if (rows[image * classes + c]! > rows[image * classes + best]!) best = c;
  return best;
}
