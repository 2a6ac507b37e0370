import type { NodeOf } from '../ir/node.js';
import { elementwiseCast } from './elementwise.js';
import { conv, convFilter, convInput } from './im2col-conv.js';
import { depthwise, depthwiseFilter, depthwiseInput } from './im2col-depthwise.js';
import { avgPoolGrad, maxPoolGrad } from './im2col-pool.js';
import type { Lowering, Rules } from './lowering.js';
import { portable } from './portable.js';
import { reduceRules } from './reduce.js';

/**
 * Formulations for GPUs: windows are gathered by one operator with constant indices, and a product of matrices does the
 * rest. Few operators, as each costs a launch; none whose algorithm is chosen by timing, and none that adds up in the
 * order in which threads come, so that two processes have the same bits. Images stay as TF.js has them, channels last.
 * Everything else is formulated portably.
 */
export const im2col: Rules = {
  ...portable,
  avgPoolGrad,
  cast: elementwiseCast,
  conv,
  convFilter,
  convInput,
  depthwise,
  depthwiseFilter,
  depthwiseInput,
  maxPoolGrad,
  sum,
};

/** Sums over images and their pixels: those of each image first, so that there is more than one thread's work per channel. */
function sum(lowering: Lowering, node: NodeOf<'sum'>): void {
  const [x] = node.inputs;
  const { axes } = node.attrs;
  const inner = axes.filter((axis) => axis !== 0);
  if (x.shape.length !== 4 || inner.length === axes.length || inner.length === 0)
    return reduceRules.sum(lowering, node);
  const { graph } = lowering;
  const shape = x.shape.filter((_, axis) => !inner.includes(axis));
  const perImage = graph.make('sum', [x], { axes: inner }, shape, x.dtype);
  reduceRules.sum(lowering, perImage);
  const total = graph.make('sum', [perImage], { axes: [0] }, node.shape, node.dtype);
  reduceRules.sum(lowering, total);
  const layout = lowering.layoutOf(total);
  lowering.define(node, lowering.get(total, layout), layout);
}
