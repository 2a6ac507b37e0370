import type { NodeOf } from '../ir/node.js';
import { elementwiseCast } from './elementwise.js';
import { conv, convFilter, convInput } from './im2col-conv.js';
import { depthwise, depthwiseFilter, depthwiseInput } from './im2col-depthwise.js';
import { avgPoolGrad, maxPoolGrad } from './im2col-pool.js';
import type { Lowering, Rules } from './lowering.js';
import { portable } from './portable.js';
import { reduceRules } from './reduce.js';

/**
 * Lowering for GPUs: one operator gathers windows with constant indices, and a matrix product does the rest. It uses few
 * operators, because each costs a launch, and only reproducible ones: no algorithm is chosen by timing, and no sum
 * depends on the timing of threads. Images stay channels-last, as in TF.js. All other operations use the portable rules.
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

/** Sums over images and pixels, each image first, so that more than one thread per channel has work. */
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
