import type { KernelFunc, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { tf } from '../model/tfjs/tf.js';

/**
 * Sums in stages. libtensorflow's CPU kernels sum element by element, so over the thousands of pixels of a batch the
 * relative error of a filter's gradient reached 7e-6. In stages it stays within the documented 5e-6.
 */

/** Replacement of a kernel function; `call` is the original. */
type Staged = (args: Parameters<KernelFunc>[0], call: (inputs: object, attrs: object) => Tensor) => Tensor;

/**
 * Replaces the backend's kernels of long sums in this process.
 * @param backendName - the native binding's backend on a CPU; GPU kernels sum in parallel, and so in stages.
 */
export function addInStages(backendName: string): void {
  replace('Sum', backendName, axisByAxis);
  replace('Mean', backendName, axisByAxis);
  replace('Conv2DBackpropFilter', backendName, bySlices);
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

/** Sum or average over several axes, one axis at a time, the last first; hardly slower than all at once. */
const axisByAxis: Staged = ({ inputs, attrs }, call) => {
  const { axis, keepDims } = attrs as unknown as { axis: number | number[]; keepDims: boolean };
  const x = inputs['x'] as Tensor;
  const axes = tf.util.parseAxisParam(axis, x.shape);
  if (axes.length < 2) return call(inputs, attrs!);
  const lastFirst = [...axes].sort((a, b) => b - a);
  return tf.tidy(() => lastFirst.reduce((sum, each) => call({ x: sum }, { axis: [each], keepDims }), x));
};

/** Pixels of dy per slice of the batch, unless this exceeds the number of slices: each call takes 0.1 ms. */
const pixelsPerSlice = 2048;
const maxSlices = 12;

/** Gradient of a filter, summed over slices of the batch. */
const bySlices: Staged = ({ inputs, attrs }, call) => {
  const { x, dy } = inputs as unknown as { x: Tensor4D; dy: Tensor4D };
  const [batch, height, width] = dy.shape;
  const images = Math.max(Math.floor(pixelsPerSlice / (height * width)), Math.ceil(batch / maxSlices));
  if (batch <= images) return call(inputs, attrs!);
  const rest = batch % images;
  const sizes = [...Array<number>(Math.floor(batch / images)).fill(images), ...(rest > 0 ? [rest] : [])];
  return tf.tidy(() => {
    const [xs, dys] = [tf.split(x, sizes), tf.split(dy, sizes)];
    return tf.addN(xs.map((slice, i) => call({ x: slice, dy: dys[i]! }, attrs!)));
  });
};
