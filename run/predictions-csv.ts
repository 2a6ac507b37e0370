import type { Confusion } from './report/confusion.js';

/** The model's predictions for the test set, in its order. */
export interface Predictions {
  /** The most probable class of each image. */
  readonly predicted: Uint8Array;
  /** Predicted probability of that class, 0 to 1. */
  readonly confidence: Float32Array;
}

/** File of the newest evaluation's predictions in the run directory. */
export const predictionsFile = 'predictions.csv';
const header = 'index,label,predicted,confidence\n';

/** Formats `predictions.csv`: a row per test image. */
export function formatPredictions({ predicted, confidence }: Predictions, labels: Uint8Array): string {
  const rows = Array.from(
    labels,
    (label, i) => `${i},${label},${predicted[i]},${(confidence[i] ?? 0).toPrecision(6)}\n`,
  );
  return header + rows.join('');
}

/**
 * Parses `predictions.csv`.
 * @param confusion - of the expected evaluation; resuming from an older checkpoint may have removed the newest one.
 * @returns undefined when the file is of another evaluation, or damaged: it is for display only.
 */
export function parsePredictions(csv: string, labels: Uint8Array, confusion: Confusion): Predictions | undefined {
  const lines = csv.split('\n').slice(1, -1);
  if (lines.length !== labels.length) return undefined;
  const predicted = new Uint8Array(labels.length);
  const confidence = new Float32Array(labels.length);
  const counts = confusion.map((row) => row.map(() => 0));
  for (const [i, line] of lines.entries()) {
    const [index, label = -1, answer = -1, share = NaN] = line.split(',').map(Number);
    const row = counts[label];
    if (index !== i || label !== labels[i] || row?.[answer] === undefined || !(share >= 0 && share <= 1))
      return undefined;
    row[answer]++;
    predicted[i] = answer;
    confidence[i] = share;
  }
  const isSame = counts.every((row, actual) => row.every((count, answer) => count === confusion[actual]?.[answer]));
  return isSame ? { predicted, confidence } : undefined;
}
