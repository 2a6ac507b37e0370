import { encode } from 'fast-png';
import type { Split } from '../../data/dataset.js';
import type { Predictions } from '../../run/predictions-csv.js';
import type { PictureEntry } from '../../coordinator/state/feed.js';

/** A selection of test images: a cell of the confusion matrix, or all misclassified ones. */
export type PictureKind = { readonly actual: number; readonly predicted: number } | 'mistakes';

/** Predictions of a kind, the most confident first; ties in the test set's order. */
export function choosePictures(
  { predicted, confidence }: Predictions,
  labels: Uint8Array,
  kind: PictureKind,
): PictureEntry[] {
  const isWanted = (actual: number, answer: number) =>
    kind === 'mistakes' ? actual !== answer : actual === kind.actual && answer === kind.predicted;
  const found: PictureEntry[] = [];
  for (const [index, actual] of labels.entries()) {
    const answer = predicted[index]!;
    if (isWanted(actual, answer)) found.push({ index, actual, predicted: answer, confidence: confidence[index]! });
  }
  return found.sort((a, b) => b.confidence - a.confidence);
}

/** Test images side by side in one row, as PNG. @throws RangeError when images have other than 1 or 3 channels. */
export function drawSprite(
  { images }: Split,
  [height, width, channels]: readonly [number, number, number],
  indices: readonly number[],
): Uint8Array {
  if (channels !== 1 && channels !== 3) throw new RangeError(`pictures: expected 1 or 3 channels, got ${channels}`);
  const rowBytes = width * channels;
  const data = new Uint8Array(indices.length * height * rowBytes);
  for (const [place, index] of indices.entries()) {
    for (let y = 0; y < height; y++) {
      const from = (index * height + y) * rowBytes;
      data.set(images.subarray(from, from + rowBytes), (y * indices.length + place) * rowBytes);
    }
  }
  return encode({ width: indices.length * width, height, data, channels, depth: 8 });
}
