import type { Tensor } from '@tensorflow/tfjs-core';
import { tf } from '../../../engine/model/tfjs/tf.js';
import type { ParityCase } from './compare.js';

/** Away from kinks and poles, where the two may legitimately differ. */
const positive = (values: Float32Array) => values.map((x) => Math.abs(x) + 0.25);

const unary: Record<string, (x: Tensor) => Tensor> = {
  abs: tf.abs,
  clipByValue: (x) => tf.clipByValue(x, -0.5, 0.5),
  cos: tf.cos,
  elu: tf.elu,
  erf: tf.erf,
  exp: tf.exp,
  leakyRelu: (x) => tf.leakyRelu(x, 0.3),
  log: tf.log,
  neg: tf.neg,
  pow: (x) => tf.pow(x, 3),
  'pow 0.5': (x) => tf.pow(x, 0.5),
  reciprocal: tf.reciprocal,
  relu: tf.relu,
  relu6: (x) => tf.relu6(tf.mul(x, 8)),
  rsqrt: tf.rsqrt,
  selu: tf.selu,
  sigmoid: tf.sigmoid,
  sin: tf.sin,
  softplus: tf.softplus,
  sqrt: tf.sqrt,
  square: tf.square,
  tanh: tf.tanh,
};
const needPositive = new Set(['log', 'pow 0.5', 'reciprocal', 'rsqrt', 'sqrt']);
export const unaryCases: ParityCase[] = Object.entries(unary).map(([name, f]) => ({
  name,
  shapes: [[3, 5]],
  f,
  ...(needPositive.has(name) ? { prepare: positive } : {}),
}));

/** Functions with a zero gradient or none: only their values can be compared. */
const piecewise: Record<string, (x: Tensor) => Tensor> = {
  all: (x) => tf.all(tf.greater(x, -0.9), 1, true),
  any: (x) => tf.any(tf.greater(x, 0.8), 1, true),
  argMax: (x) => tf.expandDims(tf.argMax(x, 1), 1),
  argMin: (x) => tf.expandDims(tf.argMin(x, 1), 1),
  ceil: tf.ceil,
  equal: (x) => tf.equal(tf.round(x), 0),
  floor: tf.floor,
  floorDiv: (x) => tf.floorDiv(x, tf.scalar(0.3)),
  greaterEqual: (x) => tf.greaterEqual(x, 0.1),
  'integer floorDiv': (x) => tf.floorDiv(tf.cast(tf.mul(x, 20), 'int32'), tf.scalar(3, 'int32')),
  less: (x) => tf.less(x, 0.1),
  lessEqual: (x) => tf.lessEqual(x, 0.1),
  logicalAnd: (x) => tf.logicalAnd(tf.greater(x, -0.5), tf.less(x, 0.5)),
  logicalNot: (x) => tf.logicalNot(tf.greater(x, 0)),
  logicalOr: (x) => tf.logicalOr(tf.less(x, -0.5), tf.greater(x, 0.5)),
  mod: (x) => tf.mod(x, tf.scalar(0.3)),
  notEqual: (x) => tf.notEqual(tf.round(x), 0),
  oneHot: (x) => tf.sum(tf.oneHot(tf.argMax(x, 1), 5), 1, true),
  onesLike: tf.onesLike,
  prod: (x) => tf.prod(tf.cast(tf.greater(x, -0.9), 'int32'), 1, true),
  reverse: (x) => tf.reverse(tf.floor(tf.mul(x, 4)), 1),
  round: (x) => tf.round(tf.mul(x, 3)),
  sign: tf.sign,
  step: (x) => tf.step(x),
  zerosLike: tf.zerosLike,
};
export const piecewiseCases: ParityCase[] = Object.entries(piecewise).map(([name, f]) => ({
  name,
  shapes: [[3, 5]],
  f: (x) => valueOnly(x, f),
}));

/** x + f(x), the gradient through f taken as 0. */
function valueOnly(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const frozen = tf.customGrad((...args) => {
    const [y] = args as Tensor[];
    return { value: tf.cast(f(y!), 'float32'), gradFunc: () => tf.zerosLike(y!) };
  });
  return tf.add(x, frozen(x));
}

/** TF.js's own gradients of the second group fail for operands of different shapes. */
const broadcasting: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  pow: tf.pow,
};
const sameShape: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  maximum: tf.maximum,
  minimum: tf.minimum,
  squaredDifference: tf.squaredDifference,
};
const equalShapes = [[3, 5], [3, 5]]; // prettier-ignore
const shapePairs = [equalShapes, [[3, 5], [5]], [[3, 1], [3, 5]], [[2, 3, 4, 5], []]]; // prettier-ignore

export const binaryCases: ParityCase[] = [
  ...Object.entries(broadcasting).flatMap(([name, f]) => shapePairs.map((shapes) => binaryCase(name, f, shapes))),
  ...Object.entries(sameShape).map(([name, f]) => binaryCase(name, f, equalShapes)),
];

function binaryCase(name: string, f: (a: Tensor, b: Tensor) => Tensor, shapes: number[][]): ParityCase {
  return { name: `${name} ${JSON.stringify(shapes)}`, shapes, f: (a, b) => f(a, b), prepare: positive };
}
