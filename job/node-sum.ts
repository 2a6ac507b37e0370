import { addInto } from './add-into.js';
import { children, type TreeNode } from './tree.js';

/**
 * Gradient sum over `node`, shard by shard from the left, with the bits that the coordinator would get from the single
 * shards. At no time are there more vectors than the tree is deep.
 *
 * @param gradientOf - gradient of one shard; the array is taken over and written into.
 */
export async function sumNode(
  node: TreeNode,
  gradientOf: (shard: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const pair = children(node);
  if (!pair) return gradientOf(node.first);
  const left = await sumNode(pair[0], gradientOf);
  return addInto(left, await sumNode(pair[1], gradientOf));
}
