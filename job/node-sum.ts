import { children, type TreeNode } from './tree.js';
import { plainVectors } from './vectors.js';

/**
 * Gradient sum over `node`, with the bits that the coordinator computes from single shards. Visits shards from the left
 * and holds at most as many vectors as the tree is deep.
 *
 * @param gradientOf - gradient of one shard; the array is owned and overwritten by this function.
 */
export async function sumNode(
  node: TreeNode,
  gradientOf: (shard: number) => Promise<Float32Array>,
  vectors = plainVectors,
): Promise<Float32Array> {
  const pair = children(node);
  if (!pair) return gradientOf(node.first);
  const left = await sumNode(pair[0], gradientOf, vectors);
  vectors.add(left, await sumNode(pair[1], gradientOf, vectors));
  return left;
}
