import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from '../../../../engine/model/tfjs/tf.js';

beforeAll(() => tf.setBackend('cpu'));

/** Gradient of the sum of f(x) · dy. */
function gradientOf(f: (x: Tensor) => Tensor, x: Tensor, dy: Tensor): Tensor {
  return tf.grad((input: Tensor) => tf.sum(tf.mul(f(input), dy)))(x);
}

describe('the gradient of an extreme over axes goes to its first place', () => {
  const x = tf.tensor4d([1, 7, 7, 2, 7, 7, 0, 7], [1, 2, 2, 2]);
  const tables: [string, (x: Tensor) => Tensor, number[], number[]][] = [
    ['max over rows and columns', (t) => tf.max(t, [1, 2]), [3, 5], [0, 5, 3, 0, 0, 0, 0, 0]],
    ['max over channels', (t) => tf.max(t, -1), [1, 2, 3, 4], [0, 1, 2, 0, 3, 0, 0, 4]],
    ['max over everything', (t) => tf.max(t), [9], [0, 9, 0, 0, 0, 0, 0, 0]],
    ['max over axes that are apart', (t) => tf.max(t, [1, 3]), [4, 6], [0, 4, 6, 0, 0, 0, 0, 0]],
    ['min over rows and columns', (t) => tf.min(t, [1, 2]), [3, 5], [0, 0, 0, 5, 0, 0, 3, 0]],
    ['max with its axes kept', (t) => tf.max(t, [1, 2], true), [3, 5], [0, 5, 3, 0, 0, 0, 0, 0]],
  ];

  it.each(tables)('%s', (_, f, dy, expected) => {
    const shape = f(x).shape;
    expect([...gradientOf(f, x, tf.tensor(dy, shape)).dataSync()]).toEqual(expected);
  });
});

describe('the gradient of tile is the sum over its repetitions', () => {
  it.each([
    [
      [2, 1, 3],
      [1, 4, 1],
    ],
    [
      [1, 1, 3],
      [2, 5, 1],
    ],
    [
      [2, 3],
      [3, 2],
    ],
    [
      [2, 2, 1, 1, 2],
      [1, 1, 3, 2, 1],
    ],
  ])('of %o by %o', (shape, reps) => {
    const size = shape.reduce((a, b) => a * b);
    const x = tf.reshape(tf.range(0, size), shape);
    const whole = reps.map((n, axis) => n * shape[axis]!);
    const dy = tf.reshape(
      tf.range(
        0,
        whole.reduce((a, b) => a * b),
      ),
      whole,
    );
    const expected = new Float32Array(size);
    // Tiling the indices gives the origin of each element of the result.
    tf.tile(x, reps)
      .dataSync()
      .forEach((place, i) => {
        expected[place]! += i;
      });
    expect(gradientOf((t) => tf.tile(t, reps), x, dy).dataSync()).toEqual(expected);
  });
});
