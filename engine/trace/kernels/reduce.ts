import type { AllAttrs, ArgMaxAttrs, MaxAttrs, SoftmaxAttrs, SumAttrs } from '@tensorflow/tfjs-core';
import type { ArgOp, Node, ReduceOp } from '../../ir/node.js';
import { argExtreme, mean, reduce, type Reduction } from '../../ir/reduce.js';
import { cast } from '../../ir/shape-ops.js';
import type { Kernel, KernelCall, KernelTable } from '../kernel.js';

export const reductions: KernelTable = {
  All: logical('min'),
  Any: logical('max'),
  ArgMax: arg('argMax'),
  ArgMin: arg('argMin'),
  // TF.js names the axes of Max `reductionIndices`, and those of other reductions `axis`.
  Max: (call) => {
    const { reductionIndices, keepDims } = call.attrs<MaxAttrs>();
    return reduce(call.graph, 'max', call.input('x'), { axes: reductionIndices, keepDims });
  },
  Mean: (call) => mean(call.graph, cast(call.graph, call.input('x'), 'float32'), reductionOf(call)),
  Min: arithmetic('min'),
  Prod: arithmetic('prod'),
  Softmax: softmax,
  Sum: arithmetic('sum'),
};

function reductionOf(call: KernelCall): Reduction {
  const { axis, keepDims } = call.attrs<SumAttrs & AllAttrs>();
  return { axes: axis, keepDims };
}

/** Sums and products of booleans are integers. */
function arithmetic(op: ReduceOp): Kernel {
  return (call) => {
    const x = call.input('x');
    return reduce(call.graph, op, x.dtype === 'bool' ? cast(call.graph, x, 'int32') : x, reductionOf(call));
  };
}

/** `all` is the minimum of zeros and ones, `any` the maximum. */
function logical(op: 'min' | 'max'): Kernel {
  return (call) => {
    const x = cast(call.graph, call.input('x'), 'int32');
    return cast(call.graph, reduce(call.graph, op, x, reductionOf(call)), 'bool');
  };
}

function arg(op: ArgOp): Kernel {
  return (call) => argExtreme(call.graph, op, call.input('x'), call.attrs<ArgMaxAttrs>().axis);
}

function softmax(call: KernelCall): Node {
  const x = call.input('logits');
  const { dim } = call.attrs<SoftmaxAttrs>();
  const axis = dim < 0 ? dim + x.shape.length : dim;
  return call.graph.make('softmax', [x], { axis }, x.shape, 'float32');
}
