import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { tf } from '../model/tfjs/tf.js';
import type { Convolution } from '../trace/layers.js';

/**
 * Dilated convolution, as an ordinary one with a larger, zero-filled filter, because neither TF.js nor libtensorflow on a
 * CPU has the gradient of the former.
 */
export const dilatedConv2d: Convolution = (x, filter, { strides, padding, dilationRate }) =>
  tf.conv2d(x, spread(filter, dilationRate), strides, padding);

/** Dilated depthwise convolution with a filter `[kh, kw, c, multiplier]`. */
export const dilatedDepthwise: Convolution = (x, filter, { strides, padding, dilationRate }) =>
  tf.depthwiseConv2d(x, spread(filter, dilationRate), strides, padding);

/** `[kh, kw, a, b]` → `[(kh − 1)·r + 1, (kw − 1)·s + 1, a, b]`, with zeros between the filter's rows and columns. */
function spread(filter: Tensor4D, [r, s]: readonly [number, number]): Tensor4D {
  const [kh, kw, a, b] = filter.shape;
  const apart = tf.pad(tf.reshape(filter, [kh, 1, kw, 1, a * b]), [none, [0, r - 1], none, [0, s - 1], none]);
  const full: Tensor = tf.reshape(apart, [kh * r, kw * s, a, b]);
  return tf.slice(full, [0, 0, 0, 0], [(kh - 1) * r + 1, (kw - 1) * s + 1, a, b]) as Tensor4D;
}

const none: [number, number] = [0, 0];
