import type { Tensor } from '@tensorflow/tfjs-core';
import { tf } from '../model/tfjs/tf.js';

/** Smallest value accepted as a maximum; the smallest f32 is −3.4028e38. */
const least = -3.4e38;

/**
 * Makes max pooling return NaN for windows without numbers. libtensorflow ignores NaN and −∞ and returns the smallest f32
 * if a window has nothing else, so a diverged model could have a finite loss. TF.js's other backends and ONNX Runtime
 * return NaN.
 * @param backend - name of the backend whose kernel is replaced; the gradient stays, because TF.js finds it by name.
 */
export function fixMaxPool(backend: string): void {
  const config = tf.getKernel('MaxPool', backend);
  tf.unregisterKernel('MaxPool', backend);
  tf.registerKernel({ ...config, kernelFunc: (call) => markEmptyWindows(config.kernelFunc(call) as Tensor) });
}

function markEmptyWindows(maxima: Tensor): Tensor {
  const marked = tf.tidy(() => tf.where(tf.less(maxima, least), NaN, maxima));
  maxima.dispose();
  return marked;
}
