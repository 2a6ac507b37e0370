import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { tf } from '../../../engine/model/tfjs/tf.js';
import type { ParityCase } from './compare.js';

export const composedCases: ParityCase[] = [
  { name: 'matMul', shapes: [[3, 4], [4, 5]], f: (a, b) => tf.matMul(a, b) }, // prettier-ignore
  { name: 'matMul transposed', shapes: [[4, 3], [5, 4]], f: (a, b) => tf.matMul(a, b, true, true) }, // prettier-ignore
  { name: 'batched matMul', shapes: [[2, 3, 4], [2, 5, 4]], f: (a, b) => tf.matMul(a, b, false, true) }, // prettier-ignore
  { name: 'fused matMul', shapes: [[3, 4], [4, 5], [5]], f: (a, b, bias) => fusedMatMul(a, b, bias) }, // prettier-ignore
  { name: 'fused conv2d', shapes: [[2, 6, 6, 3], [3, 3, 3, 4], [4]], f: (x, w, bias) => fusedConv(x, w, bias) }, // prettier-ignore
  { name: 'fused depthwiseConv2d', shapes: [[2, 6, 6, 3], [3, 3, 3, 2], [6]], f: (x, w, bias) => fusedDepthwise(x, w, bias) }, // prettier-ignore
  { name: 'prelu', shapes: [[4, 5], [5]], f: (x, alpha) => tf.prelu(x, alpha) }, // prettier-ignore
  { name: 'softmax', shapes: [[4, 5]], f: (x) => tf.softmax(x) },
  { name: 'logSoftmax', shapes: [[4, 5]], f: (x) => tf.logSoftmax(x) },
  { name: 'logSumExp', shapes: [[4, 5]], f: (x) => tf.logSumExp(x, 1) },
  { name: 'softmax cross-entropy', shapes: [[6, 5]], f: (x) => crossEntropy(x) },
  { name: 'layer norm', shapes: [[6, 5], [5], [5]], f: (x, g, b) => normalise(x, g, b, [-1]) },
  { name: 'batch norm of a convolution', shapes: [[3, 6, 6, 2], [3, 3, 2, 4], [4], [4]], f: (x, w, g, b) => normalise(conv3(x, w), g, b, [0, 1, 2]) }, // prettier-ignore
  { name: 'fused batch norm', shapes: [[3, 4, 4, 2], [2], [2]], f: (x, g, b) => fusedNorm(x, g, b) },
  { name: 'residual block', shapes: [[2, 6, 6, 4], [3, 3, 4, 4], [4], [4]], f: (x, w, g, b) => tf.relu(tf.add(x, normalise(conv3(x, w), g, b, [0, 1, 2]))) }, // prettier-ignore
  { name: 'conv, batch norm, relu and pool', shapes: [[3, 8, 8, 2], [3, 3, 2, 4], [4], [4]], f: (x, w, g, b) => tf.maxPool(tf.relu(normalise(conv3(x, w), g, b, [0, 1, 2])) as Tensor4D, 2, 2, 'valid') }, // prettier-ignore
  { name: 'group norm', shapes: [[2, 4, 4, 6]], f: (x) => groupNorm(x) },
  { name: 'attention', shapes: [[2, 5, 8], [8, 8], [8, 8], [8, 8]], f: (x, q, k, v) => attention(x, q, k, v) }, // prettier-ignore
  { name: 'global mean and dense', shapes: [[4, 5, 5, 3], [3, 7], [7]], f: (x, w, b) => globalMean(x, w, b) }, // prettier-ignore
];

const conv3 = (x: Tensor, w: Tensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, 1, 'same');

function normalise(x: Tensor, scale: Tensor, offset: Tensor, axes: number[]): Tensor {
  const { mean, variance } = tf.moments(x, axes, axes[0] === -1);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-3))), scale), offset);
}

function fusedNorm(x: Tensor, scale: Tensor, offset: Tensor): Tensor {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.batchNorm(
    x as Tensor4D,
    mean as Tensor1D,
    variance as Tensor1D,
    offset as Tensor1D,
    scale as Tensor1D,
    1e-3,
  );
}

function groupNorm(x: Tensor): Tensor {
  const groups = tf.reshape(x, [2, 16, 3, 2]);
  const { mean, variance } = tf.moments(groups, [1, 3], true);
  return tf.mul(tf.sub(groups, mean), tf.rsqrt(tf.add(variance, 1e-3)));
}

function attention(x: Tensor, q: Tensor, k: Tensor, v: Tensor): Tensor {
  const rows: Tensor2D = tf.reshape(x, [10, 8]);
  const project = (w: Tensor): Tensor3D => tf.reshape(tf.matMul(rows, w as Tensor2D), [2, 5, 8]);
  return tf.matMul(tf.softmax(tf.mul(tf.matMul(project(q), project(k), false, true), 0.35)), project(v));
}

function globalMean(x: Tensor, w: Tensor, bias: Tensor): Tensor {
  const means: Tensor2D = tf.mean(x, [1, 2]);
  return tf.sigmoid(tf.add(tf.matMul(means, w as Tensor2D), bias));
}

function crossEntropy(logits: Tensor): Tensor {
  return tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d([0, 1, 2, 3, 4, 1], 'int32'), 5), logits);
}

function fusedMatMul(a: Tensor, b: Tensor, bias: Tensor): Tensor {
  return tf.fused.matMul({ a: a, b: b, bias, activation: 'relu' });
}

function fusedConv(x: Tensor, filter: Tensor, bias: Tensor): Tensor {
  return tf.fused.conv2d({
    x: x as Tensor4D,
    filter: filter as Tensor4D,
    strides: 1,
    pad: 'same',
    bias,
    activation: 'elu',
  });
}

function fusedDepthwise(x: Tensor, filter: Tensor, bias: Tensor): Tensor {
  return tf.fused.depthwiseConv2d({ x: x as Tensor4D, filter: filter as Tensor4D, strides: 1, pad: 'same', bias });
}
