import type { Dataset, Split } from './dataset.js';

/**
 * The first `limit` images of each training batch and of the test set, for trials and tests. The title states the limit.
 * A shorter batch stays complete.
 */
export function limitDataset(dataset: Dataset, limit: number): Dataset {
  const [height, width, channels] = dataset.imageShape;
  const imageBytes = height * width * channels;
  const trainBatches = dataset.trainBatches.map((count) => Math.min(count, limit));
  const starts = dataset.trainBatches.map((_, batch) => sum(dataset.trainBatches.slice(0, batch)));
  const ranges = trainBatches.map((count, batch) => ({ start: starts[batch]!, count }));
  const test = { start: 0, count: Math.min(dataset.test.count, limit) };
  return {
    ...dataset,
    title: `${dataset.title}, first ${limit} images of each batch`,
    trainBatches,
    train: pick(dataset.train, ranges, imageBytes),
    test: pick(dataset.test, [test], imageBytes),
  };
}

/** Ranges of a split as a split; a single range is a view, several are copied. */
function pick(split: Split, ranges: readonly { start: number; count: number }[], imageBytes: number): Split {
  const labels = ranges.map(({ start, count }) => split.labels.subarray(start, start + count));
  const images = ranges.map(({ start, count }) =>
    split.images.subarray(start * imageBytes, (start + count) * imageBytes),
  );
  return { count: sum(ranges.map(({ count }) => count)), labels: join(labels), images: join(images) };
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(sum(pieces.map((piece) => piece.length)));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
