import type { Node, Op } from '../ir/node.js';
import { postOrder } from '../ir/order.js';

/** Nodes on one path that are lowered by recursion; each takes up to about ten calls. */
const deepest = 500;
/** Operations whose rules look into their inputs, to make one operator of both. */
const lookInside: ReadonlySet<Op> = new Set<Op>(['add', 'mul', 'relu', 'sub']);

/**
 * Nodes to lower first, one after the other, where a program is deeper than a recursion can go: a model of hundreds of
 * layers. They are such that no rule would have fused them. Empty for the others, which are lowered from the outputs.
 */
export function stagesOf(outputs: readonly Node[], uses: ReadonlyMap<Node, number>): Node[] {
  const nodes = postOrder(outputs);
  const fusible = new Set(
    nodes.flatMap(({ op, inputs }) => (lookInside.has(op) ? inputs.filter((x) => uses.get(x) === 1) : [])),
  );
  const depths = new Map<Node, number>();
  const stages: Node[] = [];
  for (const node of nodes) {
    const depth = 1 + node.inputs.reduce((most, input) => Math.max(most, depths.get(input)!), 0);
    const isStage = depth > deepest && !fusible.has(node);
    depths.set(node, isStage ? 0 : depth);
    if (isStage) stages.push(node);
  }
  return stages;
}
