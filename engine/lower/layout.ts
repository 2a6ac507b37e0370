import type { Shape } from '../ir/shape.js';

/**
 * Order in which a tensor's dimensions lie in memory: physical dimension i is logical dimension `layout[i]`.
 *
 * Logical shapes are TF.js's (`[N, H, W, C]`); ONNX's convolutions and pools want `[N, C, H, W]`. Keeping each value in
 * the layout in which it was made, and converting where another is needed, leaves few transpositions.
 */
export type Layout = readonly number[];

/** Images `[N, H, W, C]` kept as `[N, C, H, W]`. */
export const channelsFirst: Layout = [0, 3, 1, 2];
/**
 * Images `[N, H, W, C]` with channels in blocks that lie side by side, `[N, C/block, H, W, block]`: a layout of its own
 * beside the permutations, which only the rules in `nchwc.ts` make.
 */
export const channelBlocks: Layout = [0, 3, 1, 2, 4];
/** Filters `[kh, kw, ci, co]` kept as `[co, ci, kh, kw]`. */
export const filtersFirst: Layout = [3, 2, 0, 1];

export function identity(rank: number): Layout {
  return [...Array(rank).keys()];
}

export function isIdentity(layout: Layout): boolean {
  return layout.every((dimension, i) => dimension === i);
}

export function isBlocked(layout: Layout): boolean {
  return layout === channelBlocks;
}

export function inverse(layout: Layout): Layout {
  return layout.map((_, dimension) => layout.indexOf(dimension));
}

/** The shape in memory. */
export function physical(shape: Shape, layout: Layout): Shape {
  return layout.map((dimension) => shape[dimension]!);
}

/** `perm` for a transposition from one layout to another. */
export function permutation(from: Layout, to: Layout): readonly number[] {
  return to.map((dimension) => from.indexOf(dimension));
}

/** Whether transposing by `perm` leaves the elements in place, because only dimensions of length 1 move. */
export function keepsOrder(shape: Shape, perm: readonly number[]): boolean {
  const moved = perm.filter((dimension) => shape[dimension] !== 1);
  return moved.every((dimension, i) => i === 0 || dimension > moved[i - 1]!);
}
