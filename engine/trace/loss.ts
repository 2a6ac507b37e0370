import type { Tensor } from '@tensorflow/tfjs-core';
import type { LossSpec } from '../engine.js';
import { tf } from '../model/tfjs/tf.js';

/** Loss summed over samples, from logits `[N, classes]` and labels `[N]`, as a differentiable TF.js function. */
type Loss = (logits: Tensor, labels: Tensor) => Tensor;

type LossOf<T extends LossSpec['type']> = (spec: Extract<LossSpec, { type: T }>, classes: number) => Loss;

/** All losses of the job spec. */
export const losses: { readonly [T in LossSpec['type']]: LossOf<T> } = {
  /** −Σ e · log softmax(logits), where e is the label's one-hot vector, mixed with the uniform distribution if smoothed. */
  softmaxCrossEntropy:
    ({ labelSmoothing }, classes) =>
    (logits, labels) => {
      const exact = tf.oneHot(labels, classes, 1, 0, 'float32');
      const expected =
        labelSmoothing === 0 ? exact : tf.add(tf.mul(exact, 1 - labelSmoothing), labelSmoothing / classes);
      return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), expected)));
    },
};

/** Loss of a spec without one. */
export const defaultLoss: LossSpec = { type: 'softmaxCrossEntropy', labelSmoothing: 0 };
