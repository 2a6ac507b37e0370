import type { Graph } from '../ir/graph.js';
import type { Node, NodeOf } from '../ir/node.js';
import { sumOfSquares } from '../ir/reduce.js';
import type { Lowering } from './lowering.js';

/** ONNX has no such operation: the squares of x − mean(x) are computed and summed. */
export function spread(lowering: Lowering, node: NodeOf<'spread'>): void {
  lowering.define(node, lowering.get(sumOfSquares(lowering.graph, node)));
}

/** Nodes whose tensors a node's rule uses. */
export type Needs = (node: Node) => readonly Node[];

/** A node's inputs, or the sum that a `spread` stands for. */
export function needsOf(graph: Graph): Needs {
  return (node) => (node.op === 'spread' ? [sumOfSquares(graph, node)] : node.inputs);
}
