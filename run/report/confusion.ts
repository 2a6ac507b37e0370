/** `confusion[actual][predicted]`, counts of test images; square. */
export type Confusion = readonly (readonly number[])[];

export interface ClassAccuracy {
  readonly correct: number;
  /** Test images of the class. */
  readonly total: number;
  /** `correct / total`; NaN for a class without test images. */
  readonly accuracy: number;
}

/** A mistake and its frequency. */
export interface ConfusedPair {
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
  /** Share of the actual class's images, 0 to 1. */
  readonly share: number;
}

export function classAccuracies(confusion: Confusion): ClassAccuracy[] {
  return confusion.map((row, actual) => {
    const correct = row[actual] ?? 0;
    const total = rowTotal(row);
    return { correct, total, accuracy: correct / total };
  });
}

/** The `limit` most frequent mistakes, most frequent first; equal counts in the matrix's order. */
export function mostConfused(confusion: Confusion, limit: number): ConfusedPair[] {
  const mistakes = confusion.flatMap((row, actual) =>
    row.map((count, predicted) => ({ actual, predicted, count, share: count / rowTotal(row) })),
  );
  return mistakes
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, limit);
}

/**
 * Colour strength of a cell, 0 to 1: the square root of its share of the row.
 *
 * A linear scale would show a good network's mistakes (1 to 10 % of a row) as one shade of white.
 */
export function cellStrength(count: number, row: readonly number[]): number {
  const total = rowTotal(row);
  return total === 0 ? 0 : Math.sqrt(count / total);
}

function rowTotal(row: readonly number[]): number {
  return row.reduce((sum, count) => sum + count, 0);
}
