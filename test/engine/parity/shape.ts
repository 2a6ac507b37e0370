import type { Tensor } from '@tensorflow/tfjs-core';
import { tf } from '../../../engine/model/tfjs/tf.js';
import type { ParityCase } from './compare.js';

export const reduceCases: ParityCase[] = (
  [
    ['sum', tf.sum],
    ['mean', tf.mean],
    ['max', tf.max],
    ['min', tf.min],
  ] as [string, (x: Tensor, axis?: number | number[], keep?: boolean) => Tensor][]
).flatMap(([name, f]) => [
  { name: `${name} of all`, shapes: [[3, 4]], f: (x: Tensor) => f(x) },
  { name: `${name} over the last axis`, shapes: [[3, 4]], f: (x: Tensor) => f(x, -1) },
  { name: `${name} over rows and columns, kept`, shapes: [[2, 3, 4, 5]], f: (x: Tensor) => f(x, [1, 2], true) },
]);

export const shapeCases: ParityCase[] = [
  { name: 'transpose', shapes: [[2, 3, 4]], f: (x) => tf.transpose(x, [2, 0, 1]) },
  { name: 'reshape', shapes: [[2, 6]], f: (x) => tf.reshape(x, [3, 4]) },
  { name: 'expandDims', shapes: [[2, 6]], f: (x) => tf.expandDims(x, 1) },
  { name: 'tile', shapes: [[2, 3]], f: (x) => tf.tile(x, [2, 3]) },
  { name: 'tile of ones', shapes: [[2, 1]], f: (x) => tf.tile(x, [1, 3]) },
  { name: 'broadcastTo', shapes: [[1, 3]], f: (x) => tf.broadcastTo(x, [4, 3]) },
  { name: 'slice', shapes: [[4, 5]], f: (x) => tf.slice(x, [1, 2], [2, 3]) },
  { name: 'pad', shapes: [[2, 3]], f: (x) => tf.pad(x, [[1, 0], [2, 1]], 0.5) }, // prettier-ignore
  { name: 'concat', shapes: [[2, 3], [2, 4]], f: (a, b) => tf.concat([a, b], 1) }, // prettier-ignore
  { name: 'stack', shapes: [[2, 3], [2, 3]], f: (a, b) => tf.stack([a, b], 1) }, // prettier-ignore
  { name: 'unstack', shapes: [[2, 3]], f: (x) => tf.mul(tf.unstack(x, 0)[0]!, tf.unstack(x, 0)[1]!) },
  { name: 'split', shapes: [[2, 6]], f: (x) => tf.mul(tf.split(x, 2, 1)[0]!, tf.split(x, 2, 1)[1]!) },
  { name: 'where', shapes: [[3, 4], [3, 4]], f: (a, b) => chosen(a, b) }, // prettier-ignore
  { name: 'addN', shapes: [[3], [3], [3]], f: (a, b, c) => tf.addN([a, b, c]) },
  { name: 'gather', shapes: [[4, 3]], f: (x) => gathered(x) },
  { name: 'fill', shapes: [[3]], f: (x) => tf.add(x, tf.fill([2, 3], 0.5)) },
];

/** The condition has no gradient, so it must not depend on what is differentiated. */
function chosen(a: Tensor, b: Tensor): Tensor {
  const condition = tf.tensor2d([1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0], [3, 4], 'bool');
  return tf.where(condition, tf.exp(a), b);
}

/** x + gathered rows of x; the gradient of gathering is not lowered. */
function gathered(x: Tensor): Tensor {
  const indices = tf.tensor1d([1, 1, 3, 0], 'int32');
  const frozen = tf.customGrad((...args) => {
    const [y] = args as Tensor[];
    return { value: tf.gather(y!, indices), gradFunc: () => tf.zerosLike(y!) };
  });
  return tf.add(x, frozen(x));
}
