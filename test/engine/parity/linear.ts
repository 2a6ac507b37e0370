import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { tf } from '../../../engine/model/tfjs/tf.js';
import type { ParityCase } from './compare.js';

type Padding = 'same' | 'valid';

export const convCases: ParityCase[] = (
  [
    [3, 1, 'same', 9],
    [3, 2, 'same', 9],
    [3, 2, 'same', 8],
    [5, 2, 'valid', 11],
    [5, 3, 'valid', 12],
    [1, 1, 'valid', 6],
    [4, 2, 'same', 10],
  ] as [number, number, Padding, number][]
).flatMap(([k, stride, pad, size]) => {
  const about = `${k}×${k}, stride ${stride}, ${pad}, ${size} rows`;
  const conv = (x: Tensor, w: Tensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, stride, pad);
  const depthwise = (x: Tensor, w: Tensor) => tf.depthwiseConv2d(x as Tensor4D, w as Tensor4D, stride, pad);
  return [
    {
      name: `conv2d ${about}`,
      shapes: [
        [2, size, size, 3],
        [k, k, 3, 5],
      ],
      f: conv,
    },
    {
      name: `depthwiseConv2d ${about}`,
      shapes: [
        [2, size, size, 3],
        [k, k, 3, 2],
      ],
      f: depthwise,
    },
  ] as ParityCase[];
});

export const poolCases: ParityCase[] = (
  [
    [2, 2, 'valid', 8],
    [2, 2, 'valid', 9],
    [3, 2, 'same', 9],
    [3, 1, 'same', 7],
    [3, 3, 'valid', 9],
    [2, 2, 'same', 9],
  ] as [number, number, Padding, number][]
).flatMap(([k, stride, pad, size]) => {
  const about = `${k}×${k}, stride ${stride}, ${pad}, ${size} rows`;
  const shapes = [[2, size, size, 3]];
  /** Few distinct values, so that windows have several maxima. */
  const coarse = (values: Float32Array) => values.map((x) => Math.round(x * 2) / 2);
  const max = (x: Tensor) => tf.maxPool(x as Tensor4D, k, stride, pad);
  return [
    { name: `maxPool ${about}`, shapes, f: max },
    { name: `maxPool with ties ${about}`, shapes, f: max, prepare: coarse },
    { name: `maxPool of relu ${about}`, shapes, f: (x) => max(tf.relu(x)), prepare: coarse },
    {
      name: `avgPool ${about}`,
      shapes,
      f: (x) => tf.avgPool(x as Tensor4D, k, stride, pad),
      oracle: (x) => averages(x as Tensor4D, k, stride, pad),
    },
  ] as ParityCase[];
});

/** Average pooling as sums over windows divided by their number of elements: TF.js's gradient ignores the padding. */
function averages(x: Tensor4D, k: number, stride: number, pad: Padding): Tensor {
  const sums = (y: Tensor4D) => tf.depthwiseConv2d(y, tf.ones([k, k, 3, 1]), stride, pad);
  return tf.div(sums(x), sums(tf.onesLike(x)));
}
