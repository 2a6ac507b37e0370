import type { Node } from '../../ir/node.js';
import type { Shape } from '../../ir/shape.js';
import type { Buffer } from '../plan/plan-op.js';
import type { Lowering } from './lowering.js';
import { type Dimension, move } from './move.js';

/** Sizes of an image in blocks of 16 channels. */
export interface BlockedShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly blocks: number;
  readonly pixels: number;
  /** Words of one image. */
  readonly words: number;
}

/** @param shape - `[N, H, W, C]` */
export function blockedShape(shape: Shape): BlockedShape {
  const [, height, width, channels] = shape as [number, number, number, number];
  const blocks = Math.ceil(channels / 16);
  const pixels = height * width;
  return { height, width, channels, blocks, pixels, words: blocks * pixels * 16 };
}

/** Whole blocks, then the channels of the last block if it isn't whole: first block, blocks, channels of each. */
export function blockRuns(channels: number): readonly { first: number; blocks: number; lanes: number }[] {
  const [whole, rest] = [Math.floor(channels / 16), channels % 16];
  const runs = [
    { first: 0, blocks: whole, lanes: 16 },
    { first: whole, blocks: 1, lanes: rest },
  ];
  return runs.filter(({ blocks, lanes }) => blocks > 0 && lanes > 0);
}

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
