import { encode } from 'fast-png';
import type { Dataset, Split } from './dataset.js';

/** Class frequencies of a training batch or the test set; part of the JSON output of `data info`. */
export interface ClassCounts {
  /** `data_batch_1` and so on, or `train` if there is only one; `test`. */
  readonly part: string;
  /** Images per class, `[classes]`. */
  readonly counts: readonly number[];
  readonly total: number;
}

/** Images per class in each original training batch and in the test set. */
export function classCounts(dataset: Dataset): ClassCounts[] {
  const count = (part: string, labels: Uint8Array): ClassCounts => {
    const counts = dataset.classes.map(() => 0);
    for (const label of labels) counts[label]!++;
    return { part, counts, total: labels.length };
  };
  const nameOf = (k: number) => (dataset.trainBatches.length === 1 ? 'train' : `data_batch_${k + 1}`);
  let start = 0;
  const batches = dataset.trainBatches.map((length, k) =>
    count(nameOf(k), dataset.train.labels.subarray(start, (start += length))),
  );
  return [...batches, count('test', dataset.test.labels)];
}

export interface ChannelStatistics {
  readonly mean: readonly number[];
  /** Over all pixels of all images, not over the images' means. */
  readonly deviation: readonly number[];
}

/** Mean and standard deviation of each channel, on 0..1; from exact integer sums, by Var x = E x² − (E x)². */
export function channelStatistics(split: Split, channels: number): ChannelStatistics {
  const pixels = split.images.length / channels;
  const statistics = Array.from({ length: channels }, (_, channel) => {
    const histogram = new Uint32Array(256);
    for (let k = channel; k < split.images.length; k += channels) histogram[split.images[k]!]!++;
    const mean = histogram.reduce((sum, n, level) => sum + n * level, 0) / pixels;
    const square = histogram.reduce((sum, n, level) => sum + n * level * level, 0) / pixels;
    return { mean: mean / 255, deviation: Math.sqrt(Math.max(0, square - mean * mean)) / 255 };
  });
  return { mean: statistics.map((s) => s.mean), deviation: statistics.map((s) => s.deviation) };
}

/** Pixels between two images of a contact sheet, white. */
const GAP = 2;

/**
 * PNG with one row per class in label order: its first `perClass` training images, enlarged by an integer factor. The
 * rest of a shorter row is white.
 */
export function contactSheet(dataset: Dataset, { perClass = 10, scale = 2 } = {}): Uint8Array {
  const rows = firstOfEachClass(dataset, perClass);
  return imageSheet(dataset.train, dataset.imageShape, rows, { columns: perClass, scale });
}

/**
 * PNG with rows of images, enlarged by an integer factor. The rest of a shorter row is white.
 * @param rows - indices into the split.
 */
export function imageSheet(
  split: Split,
  [height, width, channels]: Dataset['imageShape'],
  rows: readonly (readonly number[])[],
  { columns = Math.max(1, ...rows.map((row) => row.length)), scale = 2 } = {},
): Uint8Array {
  const cell = { width: width * scale + GAP, height: height * scale + GAP };
  const sheet = { width: columns * cell.width + GAP, height: rows.length * cell.height + GAP };
  const data = new Uint8Array(sheet.width * sheet.height * channels).fill(255);
  rows.forEach((images, row) => {
    images.forEach((image, column) => {
      const left = GAP + column * cell.width;
      const top = GAP + row * cell.height;
      for (let y = 0; y < height * scale; y++) {
        for (let x = 0; x < width * scale; x++) {
          const from = ((image * height + Math.floor(y / scale)) * width + Math.floor(x / scale)) * channels;
          const pixel = split.images.subarray(from, from + channels);
          data.set(pixel, ((top + y) * sheet.width + left + x) * channels);
        }
      }
    });
  });
  return encode({ ...sheet, data, channels });
}

/** Indices of the first `perClass` training images of each class. */
function firstOfEachClass(dataset: Dataset, perClass: number): number[][] {
  const rows: number[][] = dataset.classes.map(() => []);
  for (let i = 0; i < dataset.train.count && rows.some((row) => row.length < perClass); i++) {
    const row = rows[dataset.train.labels[i]!]!;
    if (row.length < perClass) row.push(i);
  }
  return rows;
}
