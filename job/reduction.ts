import { addInto } from './add-into.js';
import { InvariantError } from './errors.js';
import { children, contains, nodeKey, pathTo, sameNode, type TreeNode } from './tree.js';

/** A node of the reduction tree with the sum over its shards. */
export interface NodeSum {
  readonly node: TreeNode;
  readonly values: Float32Array;
}

/** What became of a partial: kept until its sibling is there, already known and ignored, or the last one missing. */
export type Addition =
  | { readonly outcome: 'kept' }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'complete'; readonly sum: Float32Array };

/**
 * Sums one step's partials, each cut into chunks, in the order that the tree prescribes.
 *
 * The sums are taken in f32, left + right, whatever the order of arrival and whichever nodes the workers send, so every
 * run gives the same bits. Chunks are independent of each other: summing overlaps receiving.
 */
export class ReductionTree {
  /** For each chunk the nodes whose sums are known; none of them contains another. */
  readonly #chunks: readonly Map<string, NodeSum>[];

  constructor(
    readonly shards: number,
    chunks: number,
  ) {
    this.#chunks = Array.from({ length: chunks }, () => new Map<string, NodeSum>());
  }

  /**
   * Adds one chunk of a node's sum at its place, and completes parents whose two children are there.
   *
   * @param values - belongs to the tree afterwards, unless it is a duplicate; sums are written into such buffers.
   * @returns `duplicate` when the node's shards are all there already, and then nothing has changed.
   * @throws InvariantError when there is no such node or chunk (check with `isNode` first), or lengths differ.
   */
  add(node: TreeNode, chunk: number, values: Float32Array): Addition {
    const known = this.#chunks[chunk];
    const path = pathTo(node, this.shards);
    if (!known || !path) throw new InvariantError(`reduction: no node ${nodeKey(node)} or chunk ${chunk}`);
    if (path.some((ancestor) => known.has(nodeKey(ancestor)))) return { outcome: 'duplicate' };
    for (const [key, part] of known) if (contains(node, part.node)) known.delete(key);
    const sum = climb(known, path, values);
    known.set(nodeKey(sum.node), sum);
    return sum.node.count === this.shards ? { outcome: 'complete', sum: sum.values } : { outcome: 'kept' };
  }

  /** Shards whose gradient is not there yet, in one chunk or (without `chunk`) in any of them. */
  missingShards(chunk?: number): number[] {
    const maps = chunk === undefined ? this.#chunks : this.#chunks.slice(chunk, chunk + 1);
    const covers = (known: Map<string, NodeSum>, shard: number) =>
      [...known.values()].some(({ node }) => contains(node, { first: shard, count: 1 }));
    const all = Array.from({ length: this.shards }, (_, shard) => shard);
    return all.filter((shard) => !maps.every((known) => covers(known, shard)));
  }
}

/** Joins the sum at the end of `path` with its sibling, then its parent with its own, as far as siblings are known. */
function climb(known: Map<string, NodeSum>, path: readonly TreeNode[], values: Float32Array): NodeSum {
  let sum: NodeSum = { node: path.at(-1)!, values };
  for (const parent of path.slice(0, -1).reverse()) {
    const [left, right] = children(parent)!;
    const isLeft = sameNode(left, sum.node);
    const sibling = known.get(nodeKey(isLeft ? right : left));
    if (!sibling) break;
    known.delete(nodeKey(sibling.node));
    const joined = isLeft ? addInto(sum.values, sibling.values) : addInto(sibling.values, sum.values);
    sum = { node: parent, values: joined };
  }
  return sum;
}
