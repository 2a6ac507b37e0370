import type { Node } from '../../ir/node.js';
import type { Buffer } from '../plan/plan-op.js';
import { blockedShape, blockRuns } from './blocks.js';
import type { Lowering } from './lowering.js';
import { type Dimension, move } from './move.js';

export function toBlocked(lowering: Lowering, node: Node): Buffer {
  const to = lowering.blockedBuffer(node);
  convert(lowering, node, lowering.get(node), to, true);
  return to;
}

export function toPlain(lowering: Lowering, node: Node): Buffer {
  const to = lowering.plainBuffer(node);
  convert(lowering, node, lowering.get(node, 'blocked'), to, false);
  return to;
}

function convert(lowering: Lowering, node: Node, from: Buffer, to: Buffer, blocks: boolean): void {
  const grid = lowering.gridOf(node);
  const { channels, pixels, words } = blockedShape(node.shape);
  // Without a grid of images, the images are one more dimension.
  const images: Dimension[] = grid.kind === 'image' ? [] : [[node.shape[0]!, pixels * channels, words]];
  for (const run of blockRuns(channels)) {
    const dimensions: Dimension[] = [
      ...images,
      [run.blocks, 16, pixels * 16],
      [pixels, channels, 16],
      [run.lanes, 1, 1],
    ];
    const [plainWord, blockedWord] = [run.first * 16, run.first * pixels * 16];
    if (blocks) move(lowering, grid, { from, fromWord: plainWord, to, toWord: blockedWord, dimensions });
    else {
      const turned = dimensions.map(([n, plain, blocked]): Dimension => [n, blocked, plain]);
      move(lowering, grid, { from, fromWord: blockedWord, to, toWord: plainWord, dimensions: turned });
    }
  }
}
