import type { Node, NodeOf } from '../../ir/node.js';
import { sizeOf, toRank } from '../../ir/shape.js';
import { op, packMode } from '../plan/opcodes.js';
import { type Access, type Arg, type Buffer, type Grid, single } from '../plan/plan-op.js';
import { broadcastStrides } from './elementwise.js';
import type { Lowering } from './lowering.js';
import { move, stridesOf } from './move.js';
import { whole } from './movement.js';

/** Rows, and blocks of 16 columns, of one task. */
const taskRows = 64;
const taskBlocks = 4;

/** Matrix product, with an optional bias per column: `result` is the product or the sum. */
export function matmul(lowering: Lowering, node: NodeOf<'matmul'>, result: Node = node, bias?: Node): void {
  const [a, b] = node.inputs;
  const { transposeA, transposeB } = node.attrs;
  const batchShape = node.shape.slice(0, -2);
  const batch = sizeOf(batchShape);
  const [m, n] = node.shape.slice(-2) as [number, number];
  const k = a.shape.at(transposeA ? -2 : -1)!;
  const x = matrices(lowering, a, batchShape);
  const w = packedMatrices(lowering, b, batchShape, transposeB);
  const y = lowering.plainBuffer(result);
  const offset = bias && lowering.get(bias);
  const [rows, blocks] = [Math.min(m, taskRows), Math.min(Math.ceil(n / 16), taskBlocks)];
  const items = batch * Math.ceil(m / rows) * Math.ceil(n / 16 / blocks);
  const grid: Grid = items === 1 ? single : { kind: 'tasks', items };
  const by = items === 1 ? 'item' : 'whole';
  const [xm, xk] = transposeA ? [1, m] : [k, 1];
  const args: Arg[] = [
    ...[batch, m, k, n],
    ...[{ at: x.buffer }, x.stride, xm, xk],
    ...[{ at: w.buffer }, w.stride],
    offset ? { at: offset } : -1,
    ...[{ at: y }, m * n, n, rows, blocks],
  ];
  const reads = [x.buffer, w.buffer, ...(offset ? [offset] : [])].map((buffer): Access => ({ buffer, by }));
  lowering.emit(op.product, grid, args, reads, [{ buffer: y, by }]);
  lowering.define(result, y);
}

interface Matrices {
  readonly buffer: Buffer;
  /** Words from one matrix to the next; 0 if all are the same. */
  readonly stride: number;
}

/** Matrices of an operand for every element of the result's batch. */
function matrices(lowering: Lowering, x: Node, batchShape: readonly number[]): Matrices {
  const size = sizeOf(x.shape.slice(-2));
  if (x.size === size) return { buffer: lowering.get(x), stride: 0 };
  if (x.size === size * sizeOf(batchShape)) return { buffer: lowering.get(x), stride: size };
  const shape = [...batchShape, ...x.shape.slice(-2)];
  return { buffer: lowering.memo(`matrices${x.id}:${shape.join()}`, () => repeated(lowering, x, shape)), stride: size };
}

function repeated(lowering: Lowering, x: Node, shape: readonly number[]): Buffer {
  const to = lowering.buffer(single, sizeOf(shape));
  const [from, out] = [broadcastStrides(toRank(x.shape, shape.length), shape), stridesOf(shape)];
  const dimensions = shape.map((n, i) => [n, from[i]!, out[i]!] as const);
  move(lowering, single, { from: whole(lowering.get(x)), to, dimensions });
  return to;
}

/** The second operand in blocks of 16 columns, rearranged once per program. */
function packedMatrices(lowering: Lowering, x: Node, batchShape: readonly number[], transposed: boolean): Matrices {
  const { buffer: from, stride } = matrices(lowering, x, batchShape);
  const [ci, co] = x.shape.slice(-2) as [number, number];
  const words = 256 * Math.ceil(ci / 16) * Math.ceil(co / 16);
  const count = stride === 0 ? 1 : sizeOf(batchShape);
  const mode = transposed ? 'turned' : 'forward';
  const buffer = lowering.memo(`packed${x.id}:${mode}:${count}`, () => {
    const to = lowering.buffer(single, count * words);
    const grid: Grid = count === 1 ? single : { kind: 'tasks', items: count };
    const by = count === 1 ? 'item' : 'whole';
    const args = [{ at: from }, stride, packMode[mode], 1, ci, co, { at: to }, words];
    lowering.emit(op.pack, grid, args, [{ buffer: from, by }], [{ buffer: to, by }]);
    return to;
  });
  return { buffer, stride: count === 1 ? 0 : words };
}
