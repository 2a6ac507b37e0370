import type { Graph } from '../ir/graph.js';
import type { Node } from '../ir/node.js';
import { sumOfSquares } from '../ir/reduce.js';

/** Nodes whose tensors a node's rule uses. */
export type Needs = (node: Node) => readonly Node[];

/** A node's inputs, or the sum that a `spread` stands for. */
export function needsOf(graph: Graph): Needs {
  return (node) => (node.op === 'spread' ? [sumOfSquares(graph, node)] : node.inputs);
}
