import type { Node, Op } from '../ir/node.js';
import { postOrder } from '../ir/post-order.js';
import type { Needs } from './needs.js';

/** Longest path of nodes that recursion lowers; each node takes up to about ten nested calls. */
const maxDepth = 500;
/** Operations whose rules may fuse them with their inputs. */
const fusing: ReadonlySet<Op> = new Set<Op>(['add', 'mul', 'sub']);

/**
 * Nodes to lower first, in this order, for a program too deep for recursion, such as a model of hundreds of layers. No
 * rule fuses them. Empty for other programs, which are lowered from their outputs.
 */
export function stagesOf(outputs: readonly Node[], uses: ReadonlyMap<Node, number>, needs: Needs): Node[] {
  const nodes = postOrder(outputs, needs);
  const fusible = new Set(
    nodes.flatMap(({ op, inputs }) => (fusing.has(op) ? inputs.filter((x) => uses.get(x) === 1) : [])),
  );
  const depths = new Map<Node, number>();
  const stages: Node[] = [];
  for (const node of nodes) {
    const depth = 1 + needs(node).reduce((most, input) => Math.max(most, depths.get(input)!), 0);
    const isStage = depth > maxDepth && !fusible.has(node);
    depths.set(node, isStage ? 0 : depth);
    if (isStage) stages.push(node);
  }
  return stages;
}
