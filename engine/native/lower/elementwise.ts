import { splatOf } from '../../ir/graph.js';
import type { Node, NodeOf, Op } from '../../ir/node.js';
import { sameShape, type Shape, sizeOf, toRank } from '../../ir/shape.js';
import type { Instruction } from '../plan/opcodes.js';
import { type Buffer, type Iteration, type Operand, single } from '../plan/plan-op.js';
import { instructionOf } from './instructions.js';
import { blockedShape, blockRuns } from './blocks.js';
import type { Lowering } from './lowering.js';
import { move, stridesOf } from './move.js';

/** Vectors shorter than this are repeated to the full shape instead of being read plane by plane. */
const shortest = 16;

/** Lowers an elementwise node to one step; steps over the same elements are fused later. */
export function elementwise(lowering: Lowering, node: NodeOf<Op>): void {
  step(lowering, node as Node, instructionOf(node as Node), node.inputs);
}

/** Computes `node` by one instruction on operands that broadcast to its shape. */
export function step(lowering: Lowering, node: Node, instruction: Instruction, inputs: readonly Node[]): void {
  if (isBlockedHere(lowering, node, inputs)) return blockedStep(lowering, node, instruction, inputs);
  const planes = planesOf(lowering, node, inputs);
  const space = { grid: lowering.gridOf(node), planes: planes.planes, count: planes.count };
  const operands = inputs.map((x, i) => plainOperand(lowering, node, x, planes, i));
  const result = lowering.plainBuffer(node);
  lowering.ops.push({ kind: 'step', space, instruction, operands, result });
  lowering.define(node, result);
}

/** True if an operand of the full shape is blocked, so that the result is too. */
function isBlockedHere(lowering: Lowering, node: Node, inputs: readonly Node[]): boolean {
  if (node.shape.length !== 4) return false;
  const full = inputs.filter((x) => sameShape(x.shape, node.shape) && isComputed(lowering, x));
  return (
    full.some((x) => !lowering.has(x, 'plain')) || (full.length > 0 && full.every((x) => lowering.has(x, 'blocked')))
  );
}

function isComputed(lowering: Lowering, x: Node): boolean {
  return lowering.isDefined(x) || x.op === 'conv' || x.op === 'matmul';
}

// Blocked layout.

function blockedStep(lowering: Lowering, node: Node, instruction: Instruction, inputs: readonly Node[]): void {
  const space = blockedIteration(lowering, node);
  const result = lowering.blockedBuffer(node);
  const operands = inputs.map((x) => blockedOperand(lowering, node, x));
  lowering.ops.push({ kind: 'step', space, instruction, operands, result });
  lowering.define(node, result, 'blocked');
}

export function blockedIteration(lowering: Lowering, node: Node): Iteration {
  const grid = lowering.gridOf(node);
  const { blocks, pixels } = blockedShape(node.shape);
  return { grid, planes: grid.kind === 'image' ? blocks : blocks * node.shape[0]!, count: pixels * 16 };
}

function blockedOperand(lowering: Lowering, node: Node, x: Node): Operand {
  const scalar = scalarOperand(lowering, x);
  if (scalar) return scalar;
  const { pixels } = blockedShape(node.shape);
  if (sameShape(x.shape, node.shape)) {
    return { kind: 'stream', buffer: lowering.get(x, 'blocked'), by: 'item', plane: pixels * 16 };
  }
  const [images, ...rest] = toRank(x.shape, 4) as [number, number, number, number];
  const isVector = rest[0] === 1 && rest[1] === 1 && rest[2] === node.shape[3];
  // Without a grid of images, planes run over images too, so a vector per channel has no single stride.
  if (isVector && lowering.gridOf(node).kind === 'image') return vector(lowering, x, images > 1);
  return { kind: 'stream', buffer: repeatedBlocks(lowering, node, x), by: 'item', plane: pixels * 16 };
}

/** One value per channel, for all images or for each. The kernel reads whole vectors of 16. */
function vector(lowering: Lowering, x: Node, perImage: boolean): Operand {
  const buffer = paddedVector(lowering, x, perImage);
  return { kind: 'vector', buffer, by: perImage ? 'item' : 'whole', plane: 16 };
}

function paddedVector(lowering: Lowering, x: Node, perImage: boolean): Buffer {
  const from = lowering.get(x);
  const channels = x.shape.at(-1)!;
  if (channels % 16 === 0) return from;
  return lowering.memo(`vector${x.id}`, () => {
    const grid = perImage ? lowering.images : single;
    const to = lowering.buffer(grid, Math.ceil(channels / 16) * 16);
    lowering.fill(grid, to, 0, x.dtype);
    move(lowering, grid, { from, to, dimensions: [[channels, 1, 1]] });
    return to;
  });
}

/** An operand of any other broadcast shape, repeated to the node's shape in blocks. */
function repeatedBlocks(lowering: Lowering, node: Node, x: Node): Buffer {
  return lowering.memo(`blocks${x.id}:${node.shape.join()}`, () => {
    const grid = lowering.gridOf(node);
    const to = lowering.blockedBuffer(node);
    const { pixels, words } = blockedShape(node.shape);
    const [n, h, w, c] = broadcastStrides(x.shape, node.shape) as [number, number, number, number];
    const images = grid.kind === 'image' ? [] : [[node.shape[0]!, n, words] as const];
    const from = lowering.get(x);
    for (const run of blockRuns(node.shape[3]!)) {
      move(lowering, grid, {
        from,
        fromWord: run.first * 16 * c,
        to,
        toWord: run.first * pixels * 16,
        dimensions: [
          ...images,
          [run.blocks, 16 * c, pixels * 16],
          [node.shape[1]!, h, node.shape[2]! * 16],
          [node.shape[2]!, w, 16],
          [run.lanes, c, 1],
        ],
      });
    }
    return to;
  });
}

// Plain layout.

/** Parts of the iteration over which an operand varies; where it doesn't, it is repeated. */
interface Variation {
  readonly images: boolean;
  readonly planes: boolean;
  readonly count: boolean;
}

interface Planes {
  readonly planes: number;
  readonly count: number;
  readonly variations: readonly Variation[];
  /** True if operands that vary over some dimensions only must be repeated to the full shape. */
  readonly repeat: boolean;
}

/** Divides a node's dimensions after the batch into planes × count, such that each operand varies over a part or not. */
function planesOf(lowering: Lowering, node: Node, inputs: readonly Node[]): Planes {
  const rank = node.shape.length;
  const first = firstInner(lowering, node);
  const varies = inputs.map((x) => toRank(x.shape, rank).map((d, i) => d !== 1 || node.shape[i] === 1));
  const live = node.shape.map((_, i) => i).filter((i) => i >= first && node.shape[i] !== 1);
  const areAlike = (a: number, b: number) => varies.every((v, i) => inputs[i]!.size === 1 || v[a] === v[b]);
  let split = Math.max(0, live.length - 1);
  while (split > 0 && areAlike(live[split - 1]!, live[split]!)) split--;
  const [outer, inner] = [live.slice(0, split), live.slice(split)];
  const sizes = [outer, inner].map((axes) => axes.reduce((product, i) => product * node.shape[i]!, 1));
  const [planes, count] = sizes as [number, number];
  const isDivisible = outer.length === 0 || (outer.every((i) => areAlike(i, outer[0]!)) && count >= shortest);
  if (!isDivisible) return { planes: 1, count: planes * count, variations: [], repeat: true };
  const variations = varies.map((v) => ({
    images: first === 1 && v[0]!,
    planes: outer.length > 0 && v[outer[0]!]!,
    count: inner.length === 0 || v[inner[0]!]!,
  }));
  return { planes, count, variations, repeat: false };
}

/** First dimension that isn't the images'. */
function firstInner(lowering: Lowering, node: Node): 0 | 1 {
  return lowering.gridOf(node).kind === 'image' ? 1 : 0;
}

function plainOperand(
  lowering: Lowering,
  node: Node,
  x: Node,
  { planes, count, variations, repeat }: Planes,
  i: number,
): Operand {
  const scalar = scalarOperand(lowering, x);
  if (scalar) return scalar;
  if (x.op === 'input' && x.attrs.stored === 'uint8' && sameShape(x.shape, node.shape)) {
    return { kind: 'bytes', buffer: lowering.memo('images', () => imageBytes(lowering, x)), by: 'item', plane: count };
  }
  if (repeat) return repeatedOperand(lowering, node, x, planes * count);
  const varies = variations[i]!;
  const by = varies.images || firstInner(lowering, node) === 0 ? 'item' : 'whole';
  const buffer = lowering.get(x);
  if (varies.count) return { kind: 'stream', buffer, by, plane: varies.planes ? count : 0 };
  return { kind: 'scalar', buffer, by, plane: varies.planes ? 1 : 0 };
}

/** An operand of full size, or one that is repeated to it, for each image or once for all. */
function repeatedOperand(lowering: Lowering, node: Node, x: Node, plane: number): Operand {
  const first = firstInner(lowering, node);
  const perImage = first === 1 && toRank(x.shape, node.shape.length)[0] !== 1;
  const by = perImage || first === 0 ? 'item' : 'whole';
  const buffer = x.size === node.size ? lowering.get(x) : repeated(lowering, node, x, perImage);
  return { kind: 'stream', buffer, by, plane };
}

function scalarOperand(lowering: Lowering, x: Node): Operand | undefined {
  if (x.size !== 1 && splatOf(x) === undefined) return undefined;
  const value = splatOf(x);
  const buffer = value === undefined ? lowering.get(x) : lowering.constants.scalar(value, x.dtype);
  return { kind: 'scalar', buffer, by: 'whole', plane: 0 };
}

function imageBytes(lowering: Lowering, x: Node): Buffer {
  return lowering.fixed('images', 0, lowering.images, x.size / lowering.images.items);
}

/** An operand repeated to the node's shape, without the images' dimension if it is the same for all. */
function repeated(lowering: Lowering, node: Node, x: Node, perImage: boolean): Buffer {
  const first = firstInner(lowering, node);
  return lowering.memo(`repeated${x.id}:${node.shape.slice(first).join()}:${perImage}`, () => {
    const shape = node.shape.slice(first);
    const grid = perImage ? lowering.images : single;
    const to = lowering.buffer(grid, sizeOf(shape));
    const from = broadcastStrides(x.shape, node.shape).slice(first);
    const strides = stridesOf(shape);
    const dimensions = shape.map((n, i) => [n, from[i]!, strides[i]!] as const);
    move(lowering, grid, { from: lowering.get(x), to, dimensions });
    return to;
  });
}

/** Strides of x in the dimensions of a shape that it broadcasts to: 0 where it is repeated. */
export function broadcastStrides(x: Shape, shape: Shape): number[] {
  const full = toRank(x, shape.length);
  const strides = stridesOf(full);
  return full.map((d, i) => (d === 1 && shape[i] !== 1 ? 0 : strides[i]!));
}
