import { add } from './elementwise.js';
import type { Graph } from './graph.js';
import type { Node } from './node.js';
import { reshape } from './shape-ops.js';
import { broadcastShape, sizeOf } from './shape.js';

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
