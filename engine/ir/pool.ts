import { add, times, unary } from './elementwise.js';
import type { Graph } from './graph.js';
import type { Node, PoolAttrs } from './node.js';
import { isCentred } from './reduce.js';
import { sameShape, type Shape } from './shape.js';

/**
 * Max pooling, moved before monotone operations, which then work on fewer elements: a ReLU, and the scale and offset of a
 * batch norm, if each channel is multiplied by the sign of its scale.
 */
export function maxPool(graph: Graph, x: Node, attrs: PoolAttrs, shape: Shape): Node {
  if (x.op === 'relu') return unary(graph, 'relu', maxPool(graph, x.inputs[0], attrs, shape));
  const rising = risingPart(graph, x);
  if (!rising) return graph.make('maxPool', [x], attrs, shape, x.dtype);
  const y = graph.make('maxPool', [rising.x], attrs, shape, x.dtype);
  return add(graph, times(graph, y, rising.slope), rising.offset);
}

/**
 * Gradient of max pooling: dy goes to the first maximum of each window, as in TF.js and PyTorch.
 *
 * If the input is a ReLU, dy is masked on the smaller pooled tensor, so the ReLU's own mask isn't needed. If it is a batch
 * norm, the maxima are those of its input; if its scale is 0, all outputs are equal and any choice is valid.
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

/** A training batch norm as slope · x + offset per channel, with a non-negative slope. */
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

/** Sign of a slope per channel: that of the batch norm's scale, because the divisor is positive. */
function sideOf(graph: Graph, scale: Node): Node {
  if (scale.op !== 'mul') return unary(graph, 'side', scale);
  const [a, b] = scale.inputs;
  if (a.op === 'rsqrt') return sideOf(graph, b);
  return b.op === 'rsqrt' ? sideOf(graph, a) : unary(graph, 'side', scale);
}
