import { expect, it } from 'vitest';
import type { Split } from '../../data/dataset.js';
import { classCounts } from '../../data/explore.js';
import { datasetDigest } from '../../data/chunks.js';
import { makeSynthetic } from '../../data/synthetic.js';
import { thorough } from '../thorough.js';

const small = { trainBatches: 2, imagesPerBatch: 50, testImages: 30 };

it('makes the same bytes on every machine', () => {
  // A new value here is a new dataset: results of earlier versions can no longer be compared.
  expect(datasetDigest(makeSynthetic(small))).toBe('3703a5e0b7f93216dfd509673915ccecddb62e013cd1408c8365c3646edfcdee');
});

it('makes other images from another seed', () => {
  const [one, two] = [makeSynthetic(small), makeSynthetic({ ...small, seed: 2 })];
  expect(Buffer.compare(one.train.images, two.train.images)).not.toBe(0);
});

it('gives every class the same share of every batch', () => {
  const counts = classCounts(makeSynthetic({ trainBatches: 2, imagesPerBatch: 200, testImages: 100 }));
  expect(counts.map((part) => part.counts)).toEqual([Array(10).fill(20), Array(10).fill(20), Array(10).fill(10)]);
});

it('repeats no image from batch to batch', () => {
  const { train, test } = makeSynthetic(small);
  const image = ({ images }: Split, k: number) =>
    Buffer.from(images.subarray(k * 3072, (k + 1) * 3072)).toString('hex');
  const all = [
    ...Array.from({ length: train.count }, (_, k) => image(train, k)),
    ...Array.from({ length: test.count }, (_, k) => image(test, k)),
  ];
  expect(new Set(all).size).toBe(130);
});

if (thorough) {
  it('leaves a linear classifier on pixels far below a network (under 25 %; chance is 10 %)', () => {
    const { train, test } = makeSynthetic({ trainBatches: 1, imagesPerBatch: 2000, testImages: 500 });
    const model = trainLinear(train, 4);
    // The model does learn: these images, not the classes.
    expect(accuracy(model, train)).toBeGreaterThan(0.25);
    expect(accuracy(model, test)).toBeLessThan(0.25);
  });

  it('leaves a linear classifier on mean colours near chance', () => {
    const { train, test } = makeSynthetic({ trainBatches: 1, imagesPerBatch: 2000, testImages: 1000 });
    expect(accuracy(trainLinear(meanColours(train), 20), meanColours(test))).toBeLessThan(0.2);
  });
}

interface Linear {
  /** `[10, inputs]` */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

const inputsOf = (split: Split) => split.images.length / split.count;

/** One pixel per image: its mean colour. */
function meanColours(split: Split): Split {
  const images = new Uint8Array(split.count * 3);
  for (let k = 0; k < images.length; k++) {
    let sum = 0;
    for (let at = 0; at < 1024; at++) sum += split.images[Math.floor(k / 3) * 3072 + at * 3 + (k % 3)]!;
    images[k] = sum / 1024;
  }
  return { ...split, images };
}

function logits({ weights, bias }: Linear, split: Split, image: number): number[] {
  const inputs = inputsOf(split);
  return Array.from(bias, (start, c) => {
    let sum = start;
    for (let k = 0; k < inputs; k++) sum += weights[c * inputs + k]! * (split.images[image * inputs + k]! / 255 - 0.5);
    return sum;
  });
}

/** Softmax regression by plain SGD, one image at a time. */
function trainLinear(split: Split, epochs: number): Linear {
  const inputs = inputsOf(split);
  const rate = 6 / inputs;
  const model = { weights: new Float64Array(10 * inputs), bias: new Float64Array(10) };
  for (let step = 0; step < epochs * split.count; step++) {
    const image = step % split.count;
    const scores = logits(model, split, image);
    const top = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - top));
    const sum = powers.reduce((a, b) => a + b);
    powers.forEach((power, c) => {
      const change = rate * ((split.labels[image] === c ? 1 : 0) - power / sum);
      model.bias[c]! += change;
      for (let k = 0; k < inputs; k++) {
        model.weights[c * inputs + k]! += change * (split.images[image * inputs + k]! / 255 - 0.5);
      }
    });
  }
  return model;
}

function accuracy(model: Linear, split: Split): number {
  let correct = 0;
  for (let image = 0; image < split.count; image++) {
    const scores = logits(model, split, image);
    if (scores.indexOf(Math.max(...scores)) === split.labels[image]) correct++;
  }
  return correct / split.count;
}
