import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Dataset, Split } from '../../data/dataset.js';
import { datasetDigest, decodeChunk, encodeChunk, chunkDigest } from '../../data/chunks.js';
import { makeSynthetic } from '../../data/synthetic.js';

const shape = [1, 2, 3] as const;
const split: Split = {
  count: 4,
  labels: Uint8Array.of(3, 1, 0, 2),
  images: Uint8Array.from({ length: 24 }, (_, k) => 100 + k),
};

/** A chunk as it arrives. */
const sent = (from: Split, range: { start: number; count: number }) => Buffer.concat(encodeChunk(from, range));

it('writes labels first, then the images of the range', () => {
  expect([...sent(split, { start: 1, count: 2 })]).toEqual([
    1, 0, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117,
  ]);
});

it('reads back what it wrote, for every range', () => {
  const range = fc
    .integer({ min: 0, max: 3 })
    .chain((start) => fc.tuple(fc.constant(start), fc.integer({ min: 1, max: 4 - start })));
  fc.assert(
    fc.property(range, ([start, count]) => {
      const chunk = decodeChunk(sent(split, { start, count }), shape, 4);
      expect(chunk.count).toBe(count);
      expect([...chunk.labels]).toEqual([...split.labels.subarray(start, start + count)]);
      expect([...chunk.images]).toEqual([...split.images.subarray(start * 6, (start + count) * 6)]);
    }),
  );
});

it.each([
  [-1, 2],
  [3, 2],
  [0, 0],
  [0.5, 1],
])('refuses the range from %s on with %s images', (start, count) => {
  expect(() => sent(split, { start, count })).toThrow(/expected a range within 4 images/);
});

it('refuses a chunk of the wrong length, an empty one, and one with a label too large', () => {
  const bytes = sent(split, { start: 0, count: 4 });
  expect(() => decodeChunk(bytes.subarray(0, 27), shape, 4)).toThrow('expected a multiple of 7 bytes, got 27');
  expect(() => decodeChunk(bytes.subarray(0, 0), shape, 4)).toThrow('got 0');
  expect(() => decodeChunk(bytes, shape, 3)).toThrow('expected labels below 3, got 3 for image 0');
});

it('names a chunk by the SHA-256 of its bytes', () => {
  // FIPS 180-2, appendix B.1
  expect(chunkDigest([Buffer.from('a'), Buffer.from('bc')])).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

it('changes the dataset digest with every part of the content, and with nothing else', () => {
  const dataset = makeSynthetic({ trainBatches: 2, imagesPerBatch: 600, testImages: 20 });
  const digest = datasetDigest(dataset);
  const changed = (images: Uint8Array, at: number) => images.map((value, k) => (k === at ? value ^ 1 : value));
  const { train, test: last } = dataset;
  const others: Dataset[] = [
    { ...dataset, name: 'cifar10' },
    { ...dataset, classes: [...dataset.classes].reverse() },
    { ...dataset, normalise: { ...dataset.normalise, mean: [0, 0, 0] } },
    { ...dataset, train: { ...train, labels: changed(train.labels, 1199) } },
    { ...dataset, train: { ...train, images: changed(train.images, 1100 * 3072) } },
    { ...dataset, test: { ...last, images: changed(last.images, 0) } },
  ];
  expect(new Set([digest, ...others.map((other) => datasetDigest(other))]).size).toBe(7);
  expect(datasetDigest({ ...dataset, title: 'x', origin: 'y', trainBatches: [1200] })).toBe(digest);
});
