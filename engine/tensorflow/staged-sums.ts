import type { KernelFunc, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { tf } from '../model/tfjs/tf.js';

/**
 * libtensorflow's CPU kernels add up one element after the other, so that over the pixels of a batch, thousands of them,
 * rounding errors add up too: gradients of a first filter were off by 7e-6, those of a bias that has no influence by
 * 1e-5 of the others. Here sums are taken in stages, and stay within the 5e-6 that is promised for gradients.
 */

/** A kernel's own function, in another's place: `call` computes with it. */
type Staged = (args: Parameters<KernelFunc>[0], call: (inputs: object, attrs: object) => Tensor) => Tensor;

/**
 * Replaces the backend's kernels of long sums, for this process.
 * @param backendName - of the native binding, on a CPU; a GPU's kernels add up in parallel, thus in stages.
 */
export function addInStages(backendName: string): void {
  replace('Sum', backendName, axisByAxis);
  replace('Mean', backendName, axisByAxis);
  replace('Conv2DBackpropFilter', backendName, partByPart);
}

function replace(kernelName: string, backendName: string, staged: Staged): void {
  const own = tf.getKernel(kernelName, backendName);
  tf.unregisterKernel(kernelName, backendName);
  const kernelFunc: KernelFunc = (args) => {
    const { backend } = args;
    return staged(args, (inputs, attrs) => own.kernelFunc({ inputs, attrs, backend } as typeof args) as Tensor);
  };
  tf.registerKernel({ ...own, kernelFunc });
}

/** A sum or an average over several axes, over the last of them first: that costs hardly more than all at once. */
const axisByAxis: Staged = ({ inputs, attrs }, call) => {
  const { axis, keepDims } = attrs as unknown as { axis: number | number[]; keepDims: boolean };
  const x = inputs['x'] as Tensor;
  const axes = tf.util.parseAxisParam(axis, x.shape);
  if (axes.length < 2) return call(inputs, attrs!);
  const lastFirst = [...axes].sort((a, b) => b - a);
  return tf.tidy(() => lastFirst.reduce((sum, each) => call({ x: sum }, { axis: [each], keepDims }), x));
};

/** A part has as many pixels of dy, or as many as leave so many parts: each is a call, which takes 0.1 ms of its own. */
const pixelsPerPart = 2048;
const mostParts = 12;

/** A filter's gradient, over parts of the batch. */
const partByPart: Staged = ({ inputs, attrs }, call) => {
  const { x, dy } = inputs as unknown as { x: Tensor4D; dy: Tensor4D };
  const [batch, height, width] = dy.shape;
  const images = Math.max(Math.floor(pixelsPerPart / (height * width)), Math.ceil(batch / mostParts));
  if (batch <= images) return call(inputs, attrs!);
  const rest = batch % images;
  const sizes = [...Array<number>(Math.floor(batch / images)).fill(images), ...(rest > 0 ? [rest] : [])];
  return tf.tidy(() => {
    const [xs, dys] = [tf.split(x, sizes), tf.split(dy, sizes)];
    return tf.addN(xs.map((part, i) => call({ x: part, dy: dys[i]! }, attrs!)));
  });
};
