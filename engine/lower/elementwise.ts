import { type Attributes, elementType } from '../emit/onnx-writer.js';
import { times } from '../ir/elementwise.js';
import type { BinaryOp, LogicOp, Node, NodeOf, UnaryOp } from '../ir/node.js';
import { sameShape } from '../ir/shape.js';
import { channelsFirst } from './layout.js';
import { commonLayout, type Lowering, type Rule } from './lowering.js';

/** Defines a node as one elementwise ONNX operator. */
export function elementwise(lowering: Lowering, node: Node, opType: string, attributes: Attributes = {}): void {
  const layout = commonLayout(lowering, node, node.inputs);
  const operands = node.inputs.map((x) => lowering.operand(x, node.shape.length, layout));
  lowering.define(node, lowering.writer.op(opType, operands, attributes), layout);
}

function simple<O extends UnaryOp | BinaryOp>(opType: string): Rule<O> {
  return (lowering, node) => elementwise(lowering, node as Node, opType);
}

/** Applies operators in sequence to the operands of an elementwise node. */
function chain<O extends UnaryOp | LogicOp>(...opTypes: readonly [string, ...string[]]): Rule<O> {
  return (lowering, node) => {
    const layout = commonLayout(lowering, node as Node, node.inputs);
    const operands = node.inputs.map((x) => lowering.operand(x, node.shape.length, layout));
    const [first, ...rest] = opTypes;
    const start = lowering.writer.op(first, operands);
    lowering.define(
      node as Node,
      rest.reduce((x, opType) => lowering.writer.op(opType, [x]), start),
      layout,
    );
  };
}

export const unaryRules: { readonly [O in UnaryOp]: Rule<O> } = {
  abs: simple('Abs'),
  ceil: simple('Ceil'),
  cos: simple('Cos'),
  elu: simple('Elu'),
  erf: simple('Erf'),
  exp: simple('Exp'),
  floor: simple('Floor'),
  log: simple('Log'),
  logicalNot: simple('Not'),
  neg: simple('Neg'),
  reciprocal: simple('Reciprocal'),
  relu: simple('Relu'),
  round: simple('Round'),
  rsqrt: chain('Sqrt', 'Reciprocal'),
  side,
  sigmoid: simple('Sigmoid'),
  sign: simple('Sign'),
  sin: simple('Sin'),
  softplus: simple('Softplus'),
  sqrt: simple('Sqrt'),
  step,
  tanh: simple('Tanh'),
};

export const binaryRules: { readonly [O in Exclude<BinaryOp, 'add' | 'mul'>]: Rule<O> } = {
  div: simple('Div'),
  equal: simple('Equal'),
  floorDiv,
  greater: simple('Greater'),
  greaterEqual: simple('GreaterOrEqual'),
  less: simple('Less'),
  lessEqual: simple('LessOrEqual'),
  logicalAnd: simple('And'),
  logicalOr: simple('Or'),
  maximum: simple('Max'),
  minimum: simple('Min'),
  mod,
  notEqual: chain('Equal', 'Not'),
  pow: simple('Pow'),
  sub: simple('Sub'),
};

export function mul(lowering: Lowering, node: NodeOf<'mul'>): void {
  if (!scaleBeforeSpreading(lowering, node)) elementwise(lowering, node, 'Mul');
}

/** Gradient of max pooling times a per-channel vector: dy is scaled before it is spread over the larger image. */
function scaleBeforeSpreading(lowering: Lowering, node: NodeOf<'mul'>): boolean {
  const [x, v] = node.inputs;
  const { graph } = lowering;
  if (x.op !== 'maxPoolGrad' || !lowering.isFusible(x) || !sameShape(v.shape, node.shape.slice(-1))) return false;
  const [dy, ...rest] = x.inputs;
  const moved = graph.make('maxPoolGrad', [times(graph, dy, v), ...rest], x.attrs, x.shape, x.dtype);
  const layout = lowering.layoutOf(moved);
  lowering.define(node, lowering.get(moved, layout), layout);
  return true;
}

/** 1 where x > 0, else 0. A comparison and a conversion are faster than `Where`. */
function step(lowering: Lowering, node: NodeOf<'step'>): void {
  const [x] = node.inputs;
  const layout = lowering.layoutOf(x);
  const positive = lowering.writer.op('Greater', [lowering.get(x, layout), lowering.writer.float(0)]);
  lowering.define(node, lowering.writer.op('Cast', [positive], { to: elementType.float32 }), layout);
}

/** −1 where x < 0, else 1. */
function side(lowering: Lowering, node: NodeOf<'side'>): void {
  const [x] = node.inputs;
  const { writer } = lowering;
  const layout = lowering.layoutOf(x);
  const negative = writer.op('Cast', [writer.op('Less', [lowering.get(x, layout), writer.float(0)])], {
    to: elementType.float32,
  });
  const twice = writer.op('Mul', [negative, writer.float(-2)]);
  lowering.define(node, writer.op('Add', [twice, writer.float(1)]), layout);
}

/** ⌊a / b⌋, in f32 even for integers, as in TF.js. */
function floorDiv(lowering: Lowering, node: NodeOf<'floorDiv'>): void {
  const { writer } = lowering;
  const layout = commonLayout(lowering, node, node.inputs);
  const operands = node.inputs.map((x) => asFloat(lowering, x, lowering.operand(x, node.shape.length, layout)));
  const quotient = writer.op('Floor', [writer.op('Div', operands)]);
  const result = node.dtype === 'float32' ? quotient : writer.op('Cast', [quotient], { to: elementType[node.dtype] });
  lowering.define(node, result, layout);
}

function asFloat(lowering: Lowering, node: Node, name: string): string {
  return node.dtype === 'float32' ? name : lowering.writer.op('Cast', [name], { to: elementType.float32 });
}

/** a − b · ⌊a / b⌋: the result has the sign of b, as in TF.js. ONNX's Mod does so for integers only. */
function mod(lowering: Lowering, node: NodeOf<'mod'>): void {
  if (node.dtype === 'int32') return elementwise(lowering, node, 'Mod');
  const { writer } = lowering;
  const layout = commonLayout(lowering, node, node.inputs);
  const [a, b] = node.inputs.map((x) => lowering.operand(x, node.shape.length, layout)) as [string, string];
  const quotient = writer.op('Floor', [writer.op('Div', [a, b])]);
  lowering.define(node, writer.op('Sub', [a, writer.op('Mul', [b, quotient])]), layout);
}

/** u8 images are transposed to channels-first before their conversion to f32, while they are small. */
export function cast(lowering: Lowering, node: NodeOf<'cast'>): void {
  const [x] = node.inputs;
  const to = elementType[node.dtype];
  if (x.op !== 'input') return elementwiseCast(lowering, node);
  const { writer } = lowering;
  if (node.shape.length !== 4) return lowering.define(node, writer.op('Cast', [x.attrs.name], { to }));
  const turned = writer.op('Transpose', [x.attrs.name], { perm: channelsFirst });
  lowering.define(node, writer.op('Cast', [turned], { to }), channelsFirst);
}

export function elementwiseCast(lowering: Lowering, node: NodeOf<'cast'>): void {
  elementwise(lowering, node, 'Cast', { to: elementType[node.dtype] });
}
