import { addInto } from './add-into.js';
import { children, type TreeNode } from './tree.js';

/**
 * Gradient sum over `node`, with the bits that the coordinator computes from single shards. Visits shards from the left
 * and holds at most as many vectors as the tree is deep.
 *
 * @param gradientOf - gradient of one shard; the array is owned and overwritten by this function.
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
