import type { Tensor } from '@tensorflow/tfjs-core';
import { tf } from '../model/tfjs/tf.js';

/** The least of all maxima that is taken for one; f32's own least is −3.4028e38. */
const least = -3.4e38;

/**
 * Lets windows that hold no number have no maximum: libtensorflow leaves NaN and −∞ out, and where nothing else is in a
 * window it answers with f32's least number, from which a finite loss of a broken model can come. TF.js's other backends
 * and ONNX Runtime answer NaN.
 * @param backend - whose kernel is replaced; its gradient is found by the kernel's name and stays.
 */
export function mendMaxPool(backend: string): void {
  const config = tf.getKernel('MaxPool', backend);
  tf.unregisterKernel('MaxPool', backend);
  tf.registerKernel({ ...config, kernelFunc: (call) => withoutFalseMaxima(config.kernelFunc(call) as Tensor) });
}

function withoutFalseMaxima(maxima: Tensor): Tensor {
  const mended = tf.tidy(() => tf.where(tf.less(maxima, least), NaN, maxima));
  maxima.dispose();
  return mended;
}
