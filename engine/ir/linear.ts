import { add, times, unary } from './elementwise.js';
import type { Graph } from './graph.js';
import type { Node, PoolAttrs } from './node.js';
import { reshape } from './shape-ops.js';
import { broadcastShape, type Shape, sizeOf } from './shape.js';

export interface MatmulOptions {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Added to every row. */
  readonly bias?: Node | undefined;
}

/** Matrix product over the last two dimensions; the others broadcast. */
export function matmul(graph: Graph, a: Node, b: Node, options: MatmulOptions): Node {
  const { transposeA, transposeB, bias } = options;
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (batch.length > 0 && sizeOf(batch) === 1) {
    const [x, y] = [reshape(graph, a, a.shape.slice(-2)), reshape(graph, b, b.shape.slice(-2))];
    return reshape(graph, matmul(graph, x, y, options), [...batch, rows, columns]);
  }
  const product = graph.make('matmul', [a, b], { transposeA, transposeB }, [...batch, rows, columns], a.dtype);
  return bias ? add(graph, product, bias) : product;
}

/** Max pooling; of a ReLU, the ReLU is taken afterwards, on fewer elements: both are monotone. */
export function maxPool(graph: Graph, x: Node, attrs: PoolAttrs, shape: Shape): Node {
  if (x.op === 'relu') return unary(graph, 'relu', maxPool(graph, x.inputs[0], attrs, shape));
  return graph.make('maxPool', [x], attrs, shape, x.dtype);
}

/**
 * Gradient of max pooling by its input: dy goes to the first maximum of each window, as in TF.js and PyTorch.
 *
 * Through a ReLU below the pooling, dy is masked on the pooled tensor instead of the larger input; windows whose
 * maximum is not positive then get nothing, so the ReLU's own mask is not needed any more.
 */
export function maxPoolGrad(graph: Graph, dy: Node, x: Node, attrs: PoolAttrs): Node {
  if (x.op !== 'relu') {
    const y = maxPool(graph, x, attrs, dy.shape);
    return graph.make('maxPoolGrad', [dy, x, y], { ...attrs, masked: false }, x.shape, dy.dtype);
  }
  const below = x.inputs[0];
  const y = maxPool(graph, below, attrs, dy.shape);
  const masked = times(graph, dy, unary(graph, 'step', y));
  return graph.make('maxPoolGrad', [masked, below, y], { ...attrs, masked: true }, x.shape, dy.dtype);
}
