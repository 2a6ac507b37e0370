import type { Tensor } from '@tensorflow/tfjs-core';
import type { LossSpec } from '../engine.js';
import { tf } from '../model/tfjs/tf.js';

/** Sum over the samples of a loss, from logits `[N, classes]` and labels `[N]`; in TF.js, which differentiates it. */
export type Loss = (logits: Tensor, labels: Tensor) => Tensor;

type LossOf<T extends LossSpec['type']> = (spec: Extract<LossSpec, { type: T }>, classes: number) => Loss;

/** Every loss that a job can name. */
export const losses: { readonly [T in LossSpec['type']]: LossOf<T> } = {
  /** −Σ e · log softmax(logits), with e the label's one-hot vector, mixed with the even distribution when smoothed. */
  softmaxCrossEntropy:
    ({ labelSmoothing }, classes) =>
    (logits, labels) => {
      const exact = tf.oneHot(labels, classes, 1, 0, 'float32');
      const expected =
        labelSmoothing === 0 ? exact : tf.add(tf.mul(exact, 1 - labelSmoothing), labelSmoothing / classes);
      return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), expected)));
    },
};

/** What a job that names no loss minimises. */
export const defaultLoss: LossSpec = { type: 'softmaxCrossEntropy', labelSmoothing: 0 };
