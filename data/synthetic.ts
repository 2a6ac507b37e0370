import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Dataset, Split } from './dataset.js';
import { noiseTable, paintImage, SIDE } from './synthetic-image.js';
import { SHAPES } from './synthetic-shapes.js';

const PIXELS = SIDE * SIDE * 3;

export interface SyntheticOptions {
  /** Seed of the images; another seed gives other images of the same classes. */
  readonly seed?: number;
  readonly trainBatches?: number;
  readonly imagesPerBatch?: number;
  readonly testImages?: number;
}

/** Labels of `count` images: every ten successive ones are a random permutation of the ten classes. */
function shuffledLabels(random: RandomGenerator, count: number): Uint8Array {
  const classes = SHAPES.map((_, k) => k);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const place = i % classes.length;
    const other = place + ((random.next() >>> 0) % (classes.length - place));
    [classes[place], classes[other]] = [classes[other]!, classes[place]!];
    labels[i] = classes[place]!;
  }
  return labels;
}

/**
 * Synthetic dataset in CIFAR-10's layout: ten shapes in random colours, positions, sizes and rotations, with clutter and
 * noise. Mean colour is independent of the class, so a linear classifier stays near chance.
 *
 * A function of its options alone. Each batch has its own random stream (the generator's jump of 2^64), so its images
 * depend only on the seed and the batch's index.
 */
export function makeSynthetic(options: SyntheticOptions = {}): Dataset {
  const { seed = 1, trainBatches = 5, imagesPerBatch = 10_000, testImages = 10_000 } = options;
  const streams = xoroshiro128plus(seed);
  const noise = noiseTable(streams);
  const canvas = new Float32Array(PIXELS);
  const fill = (images: Uint8Array, labels: Uint8Array) => {
    streams.jump();
    const random = streams.clone();
    labels.set(shuffledLabels(random, labels.length));
    const bytes = new Uint8ClampedArray(images.buffer, images.byteOffset, images.byteLength);
    for (let i = 0; i < labels.length; i++) paintImage({ random, noise, canvas }, labels[i]!, bytes, i * PIXELS);
  };
  const split = (batches: number, size: number): Split => {
    const count = batches * size;
    const images = new Uint8Array(count * PIXELS);
    const labels = new Uint8Array(count);
    for (let b = 0; b < count; b += size) {
      fill(images.subarray(b * PIXELS, (b + size) * PIXELS), labels.subarray(b, b + size));
    }
    return { count, images, labels };
  };
  return {
    name: 'synthetic',
    title: 'synthetic dataset (not CIFAR-10)',
    synthetic: true,
    classes: SHAPES.map(({ name }) => name),
    imageShape: [SIDE, SIDE, 3],
    normalise: { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] },
    trainBatches: Array.from({ length: trainBatches }, () => imagesPerBatch),
    train: split(trainBatches, imagesPerBatch),
    test: split(1, testImages),
  };
}
