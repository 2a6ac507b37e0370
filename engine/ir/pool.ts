import { add, times, unary } from './elementwise.js';
import type { Graph } from './graph.js';
import type { Node, PoolAttrs } from './node.js';
import { isCentred } from './reduce.js';
import { sameShape, type Shape } from './shape.js';

/**
 * Max pooling, taken as early as possible: what follows it works on fewer elements. Of a ReLU, the ReLU is taken
 * afterwards, and of a batch norm, its scale and offset are: all are monotone, once a channel's sign is that of its scale.
 */
export function maxPool(graph: Graph, x: Node, attrs: PoolAttrs, shape: Shape): Node {
  if (x.op === 'relu') return unary(graph, 'relu', maxPool(graph, x.inputs[0], attrs, shape));
  const rising = risingPart(graph, x);
  if (!rising) return graph.make('maxPool', [x], attrs, shape, x.dtype);
  const y = graph.make('maxPool', [rising.x], attrs, shape, x.dtype);
  return add(graph, times(graph, y, rising.slope), rising.offset);
}

/**
 * Gradient of max pooling by its input: dy goes to the first maximum of each window, as in TF.js and PyTorch.
 *
 * Through a ReLU below the pooling, dy is masked on the pooled tensor instead of the larger input; windows whose
 * maximum is not positive then get nothing, so the ReLU's own mask is not needed any more. Through a batch norm, the
 * maxima are those of its input; where its scale is 0 and all outputs are equal, that is as good a choice as the first.
 */
export function maxPoolGrad(graph: Graph, dy: Node, x: Node, attrs: PoolAttrs): Node {
  const below = x.op === 'relu' ? x.inputs[0] : x;
  const pooled = maxPool(graph, below, attrs, dy.shape);
  const source = risingPart(graph, below)?.x ?? below;
  const y = graph.make('maxPool', [source], attrs, dy.shape, x.dtype);
  const masked = x.op === 'relu' ? times(graph, dy, unary(graph, 'step', unary(graph, 'relu', pooled))) : dy;
  const mask = x.op === 'relu' ? { maskedBy: below.id } : {};
  return graph.make('maxPoolGrad', [masked, source, y], { ...attrs, ...mask }, x.shape, dy.dtype);
}

/** A batch norm by the batch's own statistics as slope · x + offset, per channel, with a slope that is not negative. */
function risingPart(graph: Graph, z: Node): { x: Node; slope: Node; offset: Node } | undefined {
  if (z.op !== 'add') return undefined;
  const channels = z.shape.slice(-1);
  const [scaled, offset] = z.inputs[0].op === 'mul' ? z.inputs : [z.inputs[1], z.inputs[0]];
  if (scaled.op !== 'mul' || !sameShape(offset.shape, channels)) return undefined;
  const [centred, scale] = scaled.inputs;
  const axes = z.shape.slice(0, -1).map((_, axis) => axis);
  if (!sameShape(scale.shape, channels) || !sameShape(centred.shape, z.shape) || !isCentred(centred, axes))
    return undefined;
  const x = times(graph, centred, sideOf(graph, scale));
  return { x, slope: unary(graph, 'abs', scale), offset };
}

/** Whether a number per channel is negative; what the batch norm divides by is not, so its weight decides. */
function sideOf(graph: Graph, scale: Node): Node {
  if (scale.op !== 'mul') return unary(graph, 'side', scale);
  const [a, b] = scale.inputs;
  if (a.op === 'rsqrt') return sideOf(graph, b);
  return b.op === 'rsqrt' ? sideOf(graph, a) : unary(graph, 'side', scale);
}
