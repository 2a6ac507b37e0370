import type { Shape } from '../../ir/shape.js';

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
