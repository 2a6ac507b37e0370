/**
 * The reduction tree over shard indices. Its shape depends on the number of shards alone, so sums in tree order have the
 * same bits on any set of workers.
 */

/** Shards `first` to `first + count − 1`. The root has all shards; a left child has the larger half. */
export interface TreeNode {
  readonly first: number;
  readonly count: number;
}

export function rootNode(shards: number): TreeNode {
  return { first: 0, count: shards };
}

/** Left and right child; undefined for a leaf (one shard). */
export function children({ first, count }: TreeNode): readonly [TreeNode, TreeNode] | undefined {
  if (count === 1) return undefined;
  const left = Math.ceil(count / 2);
  return [
    { first, count: left },
    { first: first + left, count: count - left },
  ];
}

/** Text form of a node, for messages and map keys, e.g. `0+3`. */
export function nodeKey({ first, count }: TreeNode): string {
  return `${first}+${count}`;
}

export function sameNode(a: TreeNode, b: TreeNode): boolean {
  return a.first === b.first && a.count === b.count;
}

/** Nodes from the root to `node`, inclusive; undefined if the tree over `shards` has no such node. */
export function pathTo(node: TreeNode, shards: number): TreeNode[] | undefined {
  const path = [rootNode(shards)];
  for (;;) {
    const at = path.at(-1)!;
    if (sameNode(at, node)) return path;
    const next = children(at)?.find((child) => contains(child, node));
    if (next === undefined) return undefined;
    path.push(next);
  }
}

/** True if the tree over `shards` shards has this node; false for anything malformed. */
export function isNode(node: TreeNode, shards: number): boolean {
  return pathTo(node, shards) !== undefined;
}

/** True if all shards of `inner` are in `outer`. */
export function contains(outer: TreeNode, inner: TreeNode): boolean {
  return inner.first >= outer.first && inner.first + inner.count <= outer.first + outer.count && inner.count > 0;
}

/**
 * Smallest set of nodes of the tree over `shards` shards that covers exactly the shards `held`, in shard order.
 *
 * Its time depends on the number of held shards only, because it is called for each of many workers.
 */
export function cover(held: Iterable<number>, shards: number): TreeNode[] {
  const sorted = [...new Set(held)].filter((shard) => shard >= 0 && shard < shards).sort((a, b) => a - b);
  const nodes: TreeNode[] = [];
  /** Adds the nodes under `node` that cover `sorted[begin]` to `sorted[end - 1]`. */
  const visit = (node: TreeNode, begin: number, end: number): void => {
    if (begin === end) return;
    const halves = end - begin === node.count ? undefined : children(node);
    if (!halves) return void nodes.push(node);
    let middle = begin;
    while (middle < end && sorted[middle]! < halves[1].first) middle++;
    visit(halves[0], begin, middle);
    visit(halves[1], middle, end);
  };
  visit(rootNode(shards), 0, sorted.length);
  return nodes;
}

/** True if all shards of `node` are in `held`. */
export function isHeld(node: TreeNode, held: ReadonlySet<number>): boolean {
  for (let shard = node.first; shard < node.first + node.count; shard++) if (!held.has(shard)) return false;
  return true;
}
