import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Node } from '../ir/node.js';
import { tf } from '../model/tfjs/tf.js';
import { geometry } from './kernels/linear.js';
import type { Convolution, Dilated } from './layers.js';
import { backend } from './register.js';

/** Dilated convolution, with its gradient as nodes of the graph, because TF.js has none. */
export const dilatedConv2d: Convolution = (x, filter, how) => {
  const { strides, padding, dilationRate } = how;
  const forward: Convolution = (...inputs) => tf.conv2d(inputs[0], inputs[1], strides, padding, 'NHWC', dilationRate);
  return withGradient('conv', forward, how)(x, filter);
};

/** Dilated depthwise convolution with a filter `[kh, kw, c, multiplier]`, with its gradient. */
export const dilatedDepthwise: Convolution = (x, filter, how) => {
  const { strides, padding, dilationRate } = how;
  const forward: Convolution = (...inputs) =>
    tf.depthwiseConv2d(inputs[0], inputs[1], strides, padding, 'NHWC', dilationRate);
  return withGradient('depthwise', forward, how)(x, filter);
};

function withGradient(op: 'conv' | 'depthwise', forward: Convolution, how: Dilated) {
  return tf.customGrad((...args) => {
    const [x, filter, save] = args as unknown as [Tensor4D, Tensor4D, (tensors: Tensor[]) => void];
    save([x, filter]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => gradients(op, dy, saved as [Tensor4D, Tensor4D], how);
    return { value: forward(x, filter, how), gradFunc };
  }) as (x: Tensor4D, filter: Tensor4D) => Tensor4D;
}

function gradients(op: 'conv' | 'depthwise', dy: Tensor, saved: [Tensor4D, Tensor4D], how: Dilated): Tensor[] {
  const [x, filter] = saved.map((tensor) => backend.nodeOf(tensor)) as [Node, Node];
  const raw = { strides: how.strides, pad: how.padding, dilations: how.dilationRate };
  const { attrs } = geometry(x.shape, filter.shape, raw, op === 'depthwise');
  const { graph } = backend;
  const byInput = graph.make(`${op}Input`, [backend.nodeOf(dy), filter], attrs, x.shape, 'float32');
  const byFilter = graph.make(`${op}Filter`, [x, backend.nodeOf(dy)], attrs, filter.shape, 'float32');
  return [byInput, byFilter].map((node) => backend.tensorOf(node as Node));
}
