import { op } from '../plan/opcodes.js';
import type { Buffer, Grid } from '../plan/plan-op.js';
import type { Lowering } from './lowering.js';

/** Length of a dimension and its strides, in words, in source and destination. */
export type Dimension = readonly [length: number, from: number, to: number];

/** Largest number of dimensions of the kernel. */
const maxRank = 6;

export interface Move {
  readonly from: Buffer;
  readonly fromWord?: number;
  readonly to: Buffer;
  readonly toWord?: number;
  readonly dimensions: readonly Dimension[];
}

/** Copies elements from strided to strided places, of every item. A source without items is the same for all. */
export function move(lowering: Lowering, grid: Grid, { from, fromWord = 0, to, toWord = 0, dimensions }: Move): void {
  const merged = mergeDimensions(dimensions);
  if (merged.length > maxRank) return moveParts(lowering, grid, { from, fromWord, to, toWord, dimensions: merged });
  const perItem = from.items > 1;
  const args = [
    { at: from, word: fromWord },
    perItem ? { strideOf: from } : 0,
    { at: to, word: toWord },
    { strideOf: to },
    merged.length,
    ...merged.flat(),
  ];
  lowering.emit(
    op.move,
    grid,
    args,
    [{ buffer: from, by: perItem || grid.kind === 'single' ? 'item' : 'whole' }],
    [{ buffer: to, by: 'item' }],
  );
}

/** One move per index of the first dimension, for more dimensions than the kernel takes. */
function moveParts(lowering: Lowering, grid: Grid, { from, fromWord = 0, to, toWord = 0, dimensions }: Move): void {
  const [[length, fromStride, toStride], ...rest] = dimensions as [Dimension, ...Dimension[]];
  for (let i = 0; i < length; i++) {
    const [fromAt, toAt] = [fromWord + i * fromStride, toWord + i * toStride];
    move(lowering, grid, { from, fromWord: fromAt, to, toWord: toAt, dimensions: rest });
  }
}

/** Drops dimensions of length 1 and merges neighbours that are contiguous on both sides. */
function mergeDimensions(dimensions: readonly Dimension[]): Dimension[] {
  const merged: Dimension[] = [];
  for (const dimension of dimensions.filter(([length]) => length !== 1)) {
    const [n, from, to] = dimension;
    const outer = merged.at(-1);
    if (outer?.[1] === n * from && outer[2] === n * to) merged[merged.length - 1] = [outer[0] * n, from, to];
    else merged.push(dimension);
  }
  return merged;
}

/** Row-major strides of a shape. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}
