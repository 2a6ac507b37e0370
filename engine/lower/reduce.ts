import { elementType } from '../emit/onnx-writer.js';
import type { ArgOp, NodeOf, ReduceOp } from '../ir/node.js';
import type { Lowering, Rule } from './lowering.js';

/** Reduction in the layout of its input; the remaining dimensions keep their order. */
function reduction(opType: string): Rule<ReduceOp> {
  return (lowering, node) => {
    const [x] = node.inputs;
    const layout = lowering.layoutOf(x);
    const axes = node.attrs.axes.map((axis) => layout.indexOf(axis)).sort((a, b) => a - b);
    const rest = layout.filter((dimension) => !node.attrs.axes.includes(dimension));
    const ascending = [...rest].sort((a, b) => a - b);
    lowering.define(
      node,
      reduceOp(lowering, opType, lowering.get(x, layout), axes),
      rest.map((dimension) => ascending.indexOf(dimension)),
    );
  };
}

/** Only ReduceSum takes its axes as an input in opset 17. */
function reduceOp(lowering: Lowering, opType: string, x: string, axes: readonly number[]): string {
  const { writer } = lowering;
  if (opType === 'ReduceSum') return writer.op(opType, [x, writer.ints(axes)], { keepdims: 0 });
  return writer.op(opType, [x], { axes, keepdims: 0 });
}

export const reduceRules: { readonly [O in ReduceOp]: Rule<O> } = {
  max: reduction('ReduceMax'),
  min: reduction('ReduceMin'),
  prod: reduction('ReduceProd'),
  sum: reduction('ReduceSum'),
};

function arg(opType: 'ArgMax' | 'ArgMin'): Rule<ArgOp> {
  return (lowering, node) => {
    const { writer } = lowering;
    const index = writer.op(opType, [lowering.get(node.inputs[0])], { axis: node.attrs.axes[0], keepdims: 0 });
    lowering.define(node, writer.op('Cast', [index], { to: elementType.int32 }));
  };
}

export const argRules: { readonly [O in ArgOp]: Rule<O> } = { argMax: arg('ArgMax'), argMin: arg('ArgMin') };

export function softmax(lowering: Lowering, node: NodeOf<'softmax'>): void {
  lowering.define(node, lowering.writer.op('Softmax', [lowering.get(node.inputs[0])], { axis: node.attrs.axis }));
}
