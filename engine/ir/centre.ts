import { add, negate, times } from './elementwise.js';
import type { Graph } from './graph.js';
import type { Node } from './node.js';
import { postOrder } from './post-order.js';

/**
 * Removes a redundant tensor of a batch norm before max pooling. The centred input y − mean occurs as it is (variance)
 * and times the sign of the scale (pooling, gradient). Only the second is kept; the first is derived from it.
 * @param outputs - output nodes of a program.
 * @returns nodes with the same values.
 */
export function centreOnce(graph: Graph, outputs: readonly Node[]): readonly Node[] {
  const sides = sidesOf(outputs);
  if (sides.size === 0) return outputs;
  const rebuilt = new Map<Node, Node>();
  const sideOf = (node: Node) => (sides.has(node) ? [sides.get(node)!] : []);
  for (const node of postOrder(outputs, (at) => [...at.inputs, ...sideOf(at)])) {
    const inputs = node.inputs.map((input) => rebuilt.get(input)!);
    const [side] = sideOf(node);
    rebuilt.set(node, side ? centred(graph, inputs, rebuilt.get(side)!) : remade(graph, node, inputs));
  }
  return outputs.map((output) => rebuilt.get(output)!);
}

/** Nodes y − mean whose product with a sign per channel is pooled, and this sign. */
function sidesOf(outputs: readonly Node[]): Map<Node, Node> {
  const found = new Map<Node, Node>();
  for (const node of postOrder(outputs)) {
    if (node.op !== 'maxPool' || node.inputs[0].op !== 'mul') continue;
    const [centred, side] = node.inputs[0].inputs;
    if (centred.op === 'sub' && side.op === 'side' && side.inputs[0].op === 'param') found.set(centred, side);
  }
  return found;
}

/** y − mean as (y − mean) · side · side, in a form that isn't simplified back. */
function centred(graph: Graph, [y, mean]: readonly Node[], side: Node): Node {
  const signed = add(graph, times(graph, y!, side), negate(graph, times(graph, mean!, side)));
  return times(graph, signed, side);
}

/** The node with other inputs; products are normalised again. */
function remade(graph: Graph, node: Node, inputs: readonly Node[]): Node {
  if (inputs.every((input, i) => input === node.inputs[i])) return node;
  if (node.op === 'mul') return times(graph, inputs[0]!, inputs[1]!);
  return graph.make(node.op, inputs, node.attrs, node.shape, node.dtype) as Node;
}
