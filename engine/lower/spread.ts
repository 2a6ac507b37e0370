import type { NodeOf } from '../ir/node.js';
import { sumOfSquares } from '../ir/reduce.js';
import type { Lowering } from './lowering.js';

/** ONNX has no such operation: the squares of x − mean(x) are computed and summed. */
export function spread(lowering: Lowering, node: NodeOf<'spread'>): void {
  lowering.define(node, lowering.get(sumOfSquares(lowering.graph, node)));
}
