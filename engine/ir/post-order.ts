import type { Node } from './node.js';

/**
 * Post-order of the nodes that the roots need: inputs before their users. A loop, because recursion overflows the stack
 * for a model of a few hundred layers.
 */
export function postOrder(
  roots: readonly Node[],
  needs: (node: Node) => readonly Node[] = ({ inputs }) => inputs,
): Node[] {
  const seen = new Set<Node>();
  const done: Node[] = [];
  const open: { readonly node: Node; readonly rest: Node[] }[] = [];
  const begin = (node: Node) => {
    if (seen.has(node)) return;
    seen.add(node);
    open.push({ node, rest: [...needs(node)].reverse() });
  };
  for (const root of roots) {
    begin(root);
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      const next = last.rest.pop();
      if (next) begin(next);
      else done.push(open.pop()!.node);
    }
  }
  return done;
}
