import { decode } from 'fast-png';
import { expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.js';
import { channelStatistics, classCounts, contactSheet } from '../../data/explore.js';

/** Two classes of 1 × 2 images in two training batches; image k has the pixels (10k, 10k + 1, 10k + 2), (10k + 3, …). */
const dataset: Dataset = {
  name: 'synthetic',
  title: 'tiny',
  synthetic: true,
  classes: ['a', 'b'],
  imageShape: [1, 2, 3],
  normalise: { mean: [0, 0, 0], deviation: [1, 1, 1] },
  trainBatches: [3, 2],
  train: {
    count: 5,
    labels: Uint8Array.of(1, 0, 1, 1, 1),
    images: Uint8Array.from({ length: 30 }, (_, k) => Math.floor(k / 6) * 10 + (k % 6)),
  },
  test: { count: 1, labels: Uint8Array.of(0), images: new Uint8Array(6) },
};

it('counts the images of each class in each batch and in the test set', () => {
  expect(classCounts(dataset)).toEqual([
    { part: 'data_batch_1', counts: [1, 2], total: 3 },
    { part: 'data_batch_2', counts: [0, 2], total: 2 },
    { part: 'test', counts: [1, 0], total: 1 },
  ]);
});

it('gives mean and deviation of each channel over all pixels, on 0 to 1', () => {
  const images = Uint8Array.of(0, 51, 255, 255, 51, 255, 0, 51, 255, 255, 51, 0);
  const { mean, deviation } = channelStatistics({ count: 4, labels: new Uint8Array(4), images }, 3);
  expect(mean).toEqual([0.5, 0.2, 0.75]);
  expect(deviation[0]).toBe(0.5);
  expect(deviation[1]).toBe(0);
  expect(deviation[2]).toBeCloseTo(Math.sqrt(0.75 * 0.25), 12);
});

it('draws a row per class, enlarged by whole pixels, and leaves missing images white', () => {
  const sheet = decode(contactSheet(dataset, { perClass: 2, scale: 2 }));
  // Cells of 4 × 2 pixels, gaps of 2.
  expect([sheet.width, sheet.height, sheet.channels]).toEqual([14, 10, 3]);
  const pixel = (x: number, y: number) => [...sheet.data.subarray((y * 14 + x) * 3, (y * 14 + x) * 3 + 3)];
  expect([pixel(2, 2), pixel(3, 3), pixel(4, 2)]).toEqual([
    [10, 11, 12],
    [10, 11, 12],
    [13, 14, 15],
  ]);
  expect(pixel(8, 2)).toEqual([255, 255, 255]);
  expect([pixel(2, 6), pixel(8, 6), pixel(11, 7)]).toEqual([
    [0, 1, 2],
    [20, 21, 22],
    [23, 24, 25],
  ]);
  expect(pixel(6, 6)).toEqual([255, 255, 255]);
});
