import { InvariantError } from '../util/errors.js';
import { children, contains, nodeKey, pathTo, sameNode, type TreeNode } from './tree.js';
import { plainVectors } from './vectors.js';

/** Sum over the shards of a node. */
export interface NodeSum {
  readonly node: TreeNode;
  readonly values: Float32Array;
}

/** Outcome of adding a partial: kept until its sibling arrives; ignored as a duplicate; or complete. */
export type Addition =
  | { readonly outcome: 'kept' }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'complete'; readonly sum: Float32Array };

/**
 * Sums one step's partials, each divided into chunks, in tree order.
 *
 * Sums are f32, left + right, whatever the order of arrival and whichever nodes the workers send, so every run gives the
 * same bits. Chunks are independent of each other, so summing overlaps receiving.
 */
export class ReductionTree {
  /** Known sums by node, one map per chunk; no node in a map contains another. */
  readonly #chunks: readonly Map<string, NodeSum>[];

  constructor(
    readonly shards: number,
    chunks: number,
    private readonly vectors = plainVectors,
  ) {
    this.#chunks = Array.from({ length: chunks }, () => new Map<string, NodeSum>());
  }

  /**
   * Adds one chunk of a node's sum and completes parents whose two children are present.
   *
   * @param values - owned and overwritten by the tree afterwards, unless it is a duplicate.
   * @returns `duplicate` when all shards of the node are present; the tree is unchanged.
   * @throws InvariantError for an unknown node or chunk (check with `isNode` first), or when lengths differ.
   */
  add(node: TreeNode, chunk: number, values: Float32Array): Addition {
    const known = this.#chunks[chunk];
    const path = pathTo(node, this.shards);
    if (!known || !path) throw new InvariantError(`reduction: no node ${nodeKey(node)} or chunk ${chunk}`);
    if (path.some((ancestor) => known.has(nodeKey(ancestor)))) return { outcome: 'duplicate' };
    for (const [key, inner] of known) if (contains(node, inner.node)) known.delete(key);
    const sum = this.#climb(known, path, values);
    known.set(nodeKey(sum.node), sum);
    return sum.node.count === this.shards ? { outcome: 'complete', sum: sum.values } : { outcome: 'kept' };
  }

  /** Shards whose gradient is missing in one chunk or, without `chunk`, in any. */
  missingShards(chunk?: number): number[] {
    const maps = chunk === undefined ? this.#chunks : this.#chunks.slice(chunk, chunk + 1);
    const covers = (known: Map<string, NodeSum>, shard: number) =>
      [...known.values()].some(({ node }) => contains(node, { first: shard, count: 1 }));
    const all = Array.from({ length: this.shards }, (_, shard) => shard);
    return all.filter((shard) => !maps.every((known) => covers(known, shard)));
  }

  /** Adds the sum at the end of `path` to its sibling, then their parent to its sibling, as long as siblings are known. */
  #climb(known: Map<string, NodeSum>, path: readonly TreeNode[], values: Float32Array): NodeSum {
    let sum: NodeSum = { node: path.at(-1)!, values };
    for (const parent of path.slice(0, -1).reverse()) {
      const [left, right] = children(parent)!;
      const isLeft = sameNode(left, sum.node);
      const sibling = known.get(nodeKey(isLeft ? right : left));
      if (!sibling) break;
      known.delete(nodeKey(sibling.node));
      const [into, from] = isLeft ? [sum.values, sibling.values] : [sibling.values, sum.values];
      this.vectors.add(into, from);
      sum = { node: parent, values: into };
    }
    return sum;
  }
}
