import type { CastAttrs, ClipByValueAttrs, LeakyReluAttrs, StepAttrs } from '@tensorflow/tfjs-core';
import { add, binary, leakyRelu, negate, select, subtract, times, unary } from '../../ir/elementwise.js';
import type { Graph } from '../../ir/graph.js';
import type { BinaryOp, Node, UnaryOp } from '../../ir/node.js';
import { cast } from '../../ir/shape-ops.js';
import { tf } from '../../model/tfjs/tf.js';
import { type Kernel, type KernelCall, type KernelTable, Unsupported } from '../kernel.js';

const unaryOps: Readonly<Record<string, UnaryOp>> = {
  Abs: 'abs',
  Ceil: 'ceil',
  Cos: 'cos',
  Elu: 'elu',
  Erf: 'erf',
  Exp: 'exp',
  Floor: 'floor',
  Log: 'log',
  LogicalNot: 'logicalNot',
  Reciprocal: 'reciprocal',
  Relu: 'relu',
  Round: 'round',
  Rsqrt: 'rsqrt',
  Sigmoid: 'sigmoid',
  Sign: 'sign',
  Sin: 'sin',
  Softplus: 'softplus',
  Sqrt: 'sqrt',
  Tanh: 'tanh',
};
const binaryOps: Readonly<Record<string, BinaryOp>> = {
  Add: 'add',
  Equal: 'equal',
  FloorDiv: 'floorDiv',
  Greater: 'greater',
  GreaterEqual: 'greaterEqual',
  Less: 'less',
  LessEqual: 'lessEqual',
  LogicalAnd: 'logicalAnd',
  LogicalOr: 'logicalOr',
  Maximum: 'maximum',
  Minimum: 'minimum',
  Mod: 'mod',
  Multiply: 'mul',
  NotEqual: 'notEqual',
  Pow: 'pow',
  RealDiv: 'div',
  Sub: 'sub',
};

function mapValues<T>(table: Readonly<Record<string, T>>, make: (op: T) => Kernel): KernelTable {
  return Object.fromEntries(Object.entries(table).map(([name, op]) => [name, make(op)]));
}

export const elementwise: KernelTable = {
  ...mapValues(unaryOps, (op) => (call) => unary(call.graph, op, call.input('x'))),
  ...mapValues(binaryOps, (op) => (call) => binary(call.graph, op, call.input('a'), call.input('b'))),
  AddN: (call) => call.list().reduce((sum, term) => add(call.graph, sum, term)),
  Cast: (call) => {
    const { dtype } = call.attrs<CastAttrs>();
    if (dtype === 'complex64' || dtype === 'string') throw new Unsupported(`conversion to ${dtype}`);
    return cast(call.graph, call.input('x'), dtype);
  },
  ClipByValue: (call) => {
    const { clipValueMin, clipValueMax } = call.attrs<ClipByValueAttrs>();
    return clamp(call, clipValueMin, clipValueMax);
  },
  /** dy · (y ≥ 0 ? 1 : y + 1): for x < 0, elu'(x) = eˣ = y + 1. */
  EluGrad: (call) => {
    const { graph } = call;
    const [dy, y] = [call.input('dy'), call.input('y')];
    const one = graph.splat(1, []);
    return times(graph, dy, binary(graph, 'minimum', add(graph, y, one), one));
  },
  Identity: (call) => call.input('x'),
  LeakyRelu: (call) => leakyRelu(call.graph, call.input('x'), call.attrs<LeakyReluAttrs>().alpha),
  Neg: (call) => negate(call.graph, call.input('x')),
  /** x > 0 ? x : alpha · x, where alpha broadcasts over the batch. */
  Prelu: (call) => {
    const { graph } = call;
    const x = call.input('x');
    const positive = binary(graph, 'greater', x, graph.splat(0, []));
    return select(graph, positive, x, times(graph, x, call.input('alpha')));
  },
  Relu6: (call) => binary(call.graph, 'minimum', unary(call.graph, 'relu', call.input('x')), call.graph.splat(6, [])),
  Select: (call) => select(call.graph, call.input('condition'), call.input('t'), call.input('e')),
  /** scale · (x > 0 ? x : alpha · (eˣ − 1)), Klambauer et al. 2017. */
  Selu: (call) => {
    const { graph } = call;
    const x = call.input('x');
    const constant = (value: number) => graph.splat(Math.fround(value), []);
    const positive = binary(graph, 'greater', x, constant(0));
    const [above, below] = [times(graph, x, constant(tf.backend_util.SELU_SCALE)), unary(graph, 'elu', x)];
    return select(graph, positive, above, times(graph, below, constant(tf.backend_util.SELU_SCALEALPHA)));
  },
  Square: (call) => times(call.graph, call.input('x'), call.input('x')),
  SquaredDifference: (call) => {
    const difference = subtract(call.graph, call.input('a'), call.input('b'));
    return times(call.graph, difference, difference);
  },
  /** 1 where x > 0, else alpha. */
  Step: (call) => {
    const { graph } = call;
    const alpha = Math.fround(call.attrs<StepAttrs>().alpha ?? 0);
    const above = times(graph, step(graph, call.input('x')), graph.splat(1 - alpha, []));
    return add(graph, above, graph.splat(alpha, []));
  },
};

/** Step function of x, or of ReLU(x) if that exists: then x is needed only there, and its operation can be fused with ReLU. */
function step(graph: Graph, x: Node): Node {
  const hasRelu = graph.has('relu', [x], {}, x.shape, x.dtype);
  return unary(graph, 'step', hasRelu ? unary(graph, 'relu', x) : x);
}

function clamp(call: KernelCall, low: number, high: number): Node {
  const { graph } = call;
  const raised = binary(graph, 'maximum', call.input('x'), graph.splat(Math.fround(low), []));
  return binary(graph, 'minimum', raised, graph.splat(Math.fround(high), []));
}
