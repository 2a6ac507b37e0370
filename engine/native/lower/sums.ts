import { op } from '../plan/opcodes.js';
import { type Buffer, type Grid, single } from '../plan/plan-op.js';
import type { Lowering } from './lowering.js';

/** Images whose values are added in double before their sum is added to the total. */
export const imageGroup = 32;
/** Consecutive images of one partial sum of a filter's gradient. */
export const chunkImages = 4;
/** Partial sums of filter gradients that are added in double before their sum is added to the total. */
export const chunkGroup = imageGroup / chunkImages;

/** Blocks of 16 outputs of one task. */
const blocksPerTask = 64;

export interface SumItems {
  readonly from: Buffer;
  /** Number of vectors to add, and words from one to the next. */
  readonly entries: number;
  readonly stride: number;
  /** Elements of a vector. */
  readonly outputs: number;
  readonly group: number;
  readonly to: Buffer;
}

/** Adds vectors in double precision: the last stage of a sum over images. */
export function sumItems(lowering: Lowering, { from, entries, stride, outputs, group, to }: SumItems): void {
  const blocks = Math.ceil(outputs / 16);
  const tasks = Math.ceil(blocks / blocksPerTask);
  const grid: Grid = tasks === 1 ? single : { kind: 'tasks', items: tasks };
  const args = [Math.min(blocks, blocksPerTask), { at: from }, entries, stride, outputs, group, { at: to }];
  const by = tasks === 1 ? 'item' : 'whole';
  lowering.emit(op.sumItems, grid, args, [{ buffer: from, by }], [{ buffer: to, by }]);
}
