import { subtract, unary } from '../../ir/elementwise.js';
import type { BinaryOp, NodeOf, UnaryOp } from '../../ir/node.js';
import { reduce } from '../../ir/reduce.js';
import { sameShape } from '../../ir/shape.js';
import { conv, convFilter, convInput, depthwise, depthwiseFilter, depthwiseInput } from './convolution.js';
import { elementwise, step } from './elementwise.js';
import { toBlocked, toPlain } from './layouts.js';
import type { Lowering, Rule, Rules } from './lowering.js';
import * as movement from './movement.js';
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad } from './pool.js';
import { matmul } from './product.js';
import { argExtreme, reduceNode, spread, sum } from './reduce.js';

/** Addition; a bias is added by the kernel of the product or convolution, which is exact. */
function add(lowering: Lowering, node: NodeOf<'add'>): void {
  for (const [product, bias] of [node.inputs, [node.inputs[1], node.inputs[0]] as const]) {
    const isBias = sameShape(bias.shape, node.shape.slice(-1)) && sameShape(product.shape, node.shape);
    if (!isBias || !lowering.isUsedOnce(product) || lowering.isDefined(product)) continue;
    if (product.op === 'conv') return conv(lowering, product, node, bias);
    if (product.op === 'matmul') return matmul(lowering, product, node, bias);
  }
  elementwise(lowering, node);
}

function softmax(lowering: Lowering, node: NodeOf<'softmax'>): void {
  const { graph } = lowering;
  const [x] = node.inputs;
  const reduction = { axes: [node.attrs.axis], keepDims: true };
  const powers = unary(graph, 'exp', subtract(graph, x, reduce(graph, 'max', x, reduction)));
  const total = reduce(graph, 'sum', powers, reduction);
  lowering.alias(node, graph.make('div', [powers, total], {}, node.shape, node.dtype));
}

function leakyRelu(lowering: Lowering, node: NodeOf<'leakyRelu'>): void {
  step(lowering, node, 'leakyRelu', [node.inputs[0], lowering.graph.splat(node.attrs.alpha, [])]);
}

const unaryOps = [
  ...['abs', 'ceil', 'cos', 'elu', 'erf', 'exp', 'floor', 'log', 'logicalNot', 'neg', 'reciprocal', 'relu', 'round'],
  ...['rsqrt', 'side', 'sigmoid', 'sign', 'sin', 'softplus', 'sqrt', 'step', 'tanh'],
] as readonly UnaryOp[];
const binaryOps = [
  ...['div', 'equal', 'floorDiv', 'greater', 'greaterEqual', 'less', 'lessEqual', 'logicalAnd', 'logicalOr'],
  ...['maximum', 'minimum', 'mod', 'mul', 'notEqual', 'pow', 'sub'],
] as readonly Exclude<BinaryOp, 'add'>[];

const elementwiseRules = Object.fromEntries([...unaryOps, ...binaryOps].map((op) => [op, elementwise])) as unknown as {
  readonly [O in UnaryOp | Exclude<BinaryOp, 'add'>]: Rule<O>;
};

/** Rules of arithmetic 1: one for every operation. */
export const rules: Rules = {
  ...elementwiseRules,
  add,
  argMax: argExtreme,
  argMin: argExtreme,
  avgPool,
  avgPoolGrad,
  broadcast: movement.broadcast,
  cast: movement.cast,
  concat: movement.concat,
  constant: movement.constant,
  conv,
  convFilter,
  convInput,
  depthwise,
  depthwiseFilter,
  depthwiseInput,
  gather: movement.gather,
  input: movement.input,
  layouts: { toBlocked, toPlain },
  leakyRelu,
  matmul,
  max: reduceNode,
  maxPool,
  maxPoolGrad,
  min: reduceNode,
  pad: movement.pad,
  param: movement.param,
  prod: reduceNode,
  reshape: movement.reshape,
  reverse: movement.reverse,
  select: elementwise,
  slice: movement.slice,
  softmax,
  spread,
  sum,
  tile: movement.tile,
  transpose: movement.transpose,
};
