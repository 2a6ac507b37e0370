import type { Shape } from '../ir/shape.js';

/**
 * Order of a tensor's dimensions in memory: physical dimension i is logical dimension `layout[i]`.
 *
 * Logical shapes are TF.js's (`[N, H, W, C]`); ONNX's convolutions and pools need `[N, C, H, W]`. Values stay in the layout
 * in which they were created and are converted on demand, which leaves few transpositions.
 */
export type Layout = readonly number[];

/** Images `[N, H, W, C]` stored as `[N, C, H, W]`. */
export const channelsFirst: Layout = [0, 3, 1, 2];
/** Filters `[kh, kw, ci, co]` stored as `[co, ci, kh, kw]`. */
export const filtersFirst: Layout = [3, 2, 0, 1];

export function identity(rank: number): Layout {
  return [...Array(rank).keys()];
}

export function isIdentity(layout: Layout): boolean {
  return layout.every((dimension, i) => dimension === i);
}

export function inverse(layout: Layout): Layout {
  return layout.map((_, dimension) => layout.indexOf(dimension));
}

/** Shape in memory. */
export function physical(shape: Shape, layout: Layout): Shape {
  return layout.map((dimension) => shape[dimension]!);
}

/** `perm` for a transposition from one layout to another. */
export function permutation(from: Layout, to: Layout): readonly number[] {
  return to.map((dimension) => from.indexOf(dimension));
}

/** True if a transposition by `perm` moves no element, because only dimensions of length 1 change places. */
export function keepsOrder(shape: Shape, perm: readonly number[]): boolean {
  const moved = perm.filter((dimension) => shape[dimension] !== 1);
  return moved.every((dimension, i) => i === 0 || dimension > moved[i - 1]!);
}
