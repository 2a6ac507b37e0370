import type { Instruction, Space } from './opcodes.js';

/**
 * Memory for one value, or another division of it into items: buffers with the same id are the same memory. Sizes are
 * in words of 4 bytes. A buffer with `items` holds one part per image, which an image's operations read and write; parts
 * that live in one phase only are kept in scratch memory.
 */
export interface Buffer {
  readonly id: number;
  /** Words of one item; of the whole buffer if `items` is 1. */
  readonly words: number;
  readonly items: number;
  /** Position in memory that isn't planned: the caller's, or a constant. */
  readonly fixed?: { readonly space: Space; readonly byte: number };
}

/** Independent parts of an operation: one per image, one in all, or tasks without relation to images. */
export type Grid = { readonly kind: 'image' | 'single' | 'tasks'; readonly items: number };

/** Argument of an operation that is known after memory planning. */
export type Arg =
  | number
  | { readonly at: Buffer; readonly word?: number }
  /** Words from one item of a buffer to the next; 0 in scratch memory. */
  | { readonly strideOf: Buffer };

/** Access to a buffer: `item` if item i of the operation touches part i only. */
export interface Access {
  readonly buffer: Buffer;
  readonly by: 'item' | 'whole';
}

/** Operation of a plan before memory planning. */
export interface KernelOp {
  readonly kind: 'kernel';
  readonly code: number;
  readonly grid: Grid;
  /** Arguments after `items`. */
  readonly args: readonly Arg[];
  readonly reads: readonly Access[];
  readonly writes: readonly Access[];
}

/** Iteration of an elementwise operation: `planes` × `count` words per item. */
export interface Iteration {
  readonly grid: Grid;
  readonly planes: number;
  readonly count: number;
}

/** Operand of an elementwise step. Strides are in words, or bytes for `bytes`. */
export interface Operand {
  readonly kind: 'stream' | 'vector' | 'scalar' | 'bytes';
  readonly buffer: Buffer;
  readonly by: 'item' | 'whole';
  readonly plane: number;
}

/** One instruction over an iteration space, with a result of the same size; or the staged sum of every plane. */
export interface ElementwiseStep {
  readonly kind: 'step';
  readonly space: Iteration;
  readonly instruction: Instruction | 'sum4';
  readonly operands: readonly Operand[];
  readonly result: Buffer;
}

export type PlanOp = KernelOp | ElementwiseStep;

export const single: Grid = { kind: 'single', items: 1 };

export function readsOf(op: PlanOp): readonly Access[] {
  return op.kind === 'kernel' ? op.reads : op.operands;
}

export function writesOf(op: PlanOp): readonly Access[] {
  return op.kind === 'kernel' ? op.writes : [{ buffer: op.result, by: 'item' }];
}

export function gridOf(op: PlanOp): Grid {
  return op.kind === 'kernel' ? op.grid : op.space.grid;
}

/** True if an operand's element has the position of the result's. */
export function isSameElement({ kind, by, plane, buffer }: Operand, { space, result }: ElementwiseStep): boolean {
  const { grid, planes, count } = space;
  const isFull = buffer.words === planes * count && (result.items === 1 || buffer.items === grid.items);
  return kind === 'stream' && by === 'item' && isFull && (plane === count || planes === 1);
}
