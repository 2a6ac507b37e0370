import type { ArgOp, Node, NodeOf, ReduceOp } from '../../ir/node.js';
import { reshape } from '../../ir/shape-ops.js';
import { sizeOf } from '../../ir/shape.js';
import { op, reduceKind } from '../plan/opcodes.js';
import { type Buffer, type Grid, single } from '../plan/plan-op.js';
import { blockedIteration } from './elementwise.js';
import { blockedShape } from './blocks.js';
import type { Lowering } from './lowering.js';
import { move, stridesOf } from './move.js';
import { whole } from './movement.js';
import { imageGroup, sumItems } from './sums.js';

// Rules of reductions. Over axis 0 they have two steps: inside of each of its elements, then over them.

/** Vectors, one per element of axis 0. */
interface Rows {
  readonly buffer: Buffer;
  /** Words from one vector to the next. */
  readonly stride: number;
}

export function sum(lowering: Lowering, node: NodeOf<'sum'>): void {
  const [x] = node.inputs;
  if (x.dtype !== 'float32') return reduceAny(lowering, node, 'isum');
  const { axes } = node.attrs;
  const rows = innerSums(lowering, x, axes);
  if (!axes.includes(0)) return lowering.define(node, compact(lowering, node, rows));
  const to = lowering.plainBuffer(node);
  const entries = x.shape[0]!;
  sumItems(lowering, { from: rows.buffer, entries, stride: rows.stride, outputs: node.size, group: imageGroup, to });
  lowering.define(node, to);
}

export function reduceNode(lowering: Lowering, node: NodeOf<'max' | 'min' | 'prod'>): void {
  reduceAny(lowering, node, node.inputs[0].dtype === 'float32' ? node.op : integerKinds[node.op]);
}

const integerKinds = { max: 'imax', min: 'imin', prod: 'iprod' } as const;

function reduceAny(lowering: Lowering, node: NodeOf<ReduceOp>, kind: keyof typeof reduceKind): void {
  const [x] = node.inputs;
  const { axes } = node.attrs;
  const rows = innerReductions(lowering, x, axes, kind);
  if (!axes.includes(0)) return lowering.define(node, compact(lowering, node, rows));
  const to = lowering.plainBuffer(node);
  const args = [reduceKind[kind], { at: rows.buffer }, x.shape[0]!, rows.stride, node.size, { at: to }];
  lowering.emit(op.reduceItems, single, args, [{ buffer: rows.buffer, by: 'item' }], [{ buffer: to, by: 'item' }]);
  lowering.define(node, to);
}

/** Sums over axes other than the first. */
function innerSums(lowering: Lowering, x: Node, axes: readonly number[]): Rows {
  const inner = axes.filter((axis) => axis !== 0);
  const isOverPixels = x.shape.length === 4 && inner.join() === '1,2';
  if (isOverPixels && lowering.has(x, 'blocked')) return pixelSums(lowering, x);
  return innerReductions(lowering, x, axes, 'sum');
}

/** Sums over the pixels of every image and channel; rows are padded to blocks of 16 channels. */
function pixelSums(lowering: Lowering, x: Node): Rows {
  if (lowering.hasSpread(x)) {
    const { sums, stride } = moments(lowering, x);
    return { buffer: sums, stride };
  }
  const { blocks } = blockedShape(x.shape);
  const buffer = lowering.memo(`pixels${x.id}`, () => {
    const space = blockedIteration(lowering, x);
    const operand = {
      kind: 'stream' as const,
      buffer: lowering.get(x, 'blocked'),
      by: 'item' as const,
      plane: space.count,
    };
    const result = lowering.buffer(space.grid, space.planes * 16);
    lowering.ops.push({ kind: 'step', space, instruction: 'sum4', operands: [operand], result });
    return result;
  });
  return { buffer, stride: blocks * 16 };
}

/** Reductions over axes other than the first, of plain values; the values themselves without such axes. */
function innerReductions(lowering: Lowering, x: Node, axes: readonly number[], kind: keyof typeof reduceKind): Rows {
  const inner = axes.filter((axis) => axis !== 0);
  const kept = x.shape.map((_, i) => i).filter((i) => i !== 0 && !inner.includes(i));
  const stride = sizeOf(kept.map((i) => x.shape[i]!));
  if (inner.length === 0) return { buffer: lowering.get(x), stride };
  const buffer = lowering.memo(`${kind}${x.id}:${inner.join()}`, () => reduceRows(lowering, x, inner, kind));
  return { buffer, stride };
}

function reduceRows(lowering: Lowering, x: Node, inner: readonly number[], kind: keyof typeof reduceKind): Buffer {
  const { outer, length, rest, buffer } = viewed(lowering, x, inner);
  const rows = x.shape[0]!;
  const lanes = inner.includes(x.shape.length - 1) ? 16 : 4;
  const isImages = lowering.gridOf(x).kind === 'image';
  const grid: Grid = isImages ? lowering.images : rows === 1 ? single : { kind: 'tasks', items: rows };
  const by = grid.kind === 'tasks' ? 'whole' : 'item';
  const result = lowering.buffer(isImages ? grid : single, outer * rest * (isImages ? 1 : rows));
  const from = isImages ? { strideOf: buffer } : outer * length * rest;
  const to = isImages ? { strideOf: result } : outer * rest;
  const args = [reduceKind[kind], { at: buffer }, from, outer, length, rest, lanes, { at: result }, to];
  lowering.emit(op.reduce, grid, args, [{ buffer, by }], [{ buffer: result, by }]);
  return result;
}

/** An element of axis 0 as `[outer, length, rest]`, where `length` is reduced. */
interface View {
  readonly buffer: Buffer;
  readonly outer: number;
  readonly length: number;
  readonly rest: number;
}

/** The reduced axes in the middle; transposed to the end if they aren't adjacent. */
function viewed(lowering: Lowering, x: Node, inner: readonly number[]): View {
  const size = (axes: readonly number[]) => sizeOf(axes.map((i) => x.shape[i]!));
  const axes = x.shape.map((_, i) => i).slice(1);
  const [first, last] = [inner[0]!, inner.at(-1)!];
  const length = size(inner);
  if (last - first + 1 === inner.length) {
    const [before, after] = [axes.filter((i) => i < first), axes.filter((i) => i > last)];
    return { buffer: lowering.get(x), outer: size(before), length, rest: size(after) };
  }
  const order = [...axes.filter((i) => !inner.includes(i)), ...inner];
  const buffer = lowering.memo(`turned${x.id}:${order.join()}`, () => transposed(lowering, x, order));
  return { buffer, outer: size(axes) / length, length, rest: 1 };
}

function transposed(lowering: Lowering, x: Node, order: readonly number[]): Buffer {
  const isImages = lowering.gridOf(x).kind === 'image';
  const from = stridesOf(x.shape);
  const all = isImages ? order : [0, ...order];
  const shape = all.map((i) => x.shape[i]!);
  const out = stridesOf(shape);
  const grid = isImages ? lowering.images : single;
  const to = lowering.buffer(grid, sizeOf(shape));
  const source = lowering.get(x);
  const dimensions = all.map((axis, i) => [shape[i]!, from[axis]!, out[i]!] as const);
  move(lowering, grid, { from: isImages ? source : whole(source), to, dimensions });
  return to;
}

/** The rows as a node's plain value, without padding. */
function compact(lowering: Lowering, node: Node, { buffer, stride }: Rows): Buffer {
  const rows = node.shape[0]!;
  const words = node.size / rows;
  const { items } = lowering.gridOf(node);
  const viewOf = (rowWords: number) => ({ ...buffer, items, words: (rowWords * rows) / items });
  if (words === stride) return viewOf(words);
  const to = lowering.plainBuffer(node);
  if (items > 1) move(lowering, lowering.images, { from: viewOf(stride), to, dimensions: [[words, 1, 1]] });
  else
    move(lowering, single, {
      from: viewOf(stride),
      to,
      dimensions: [
        [rows, stride, words],
        [words, 1, 1],
      ],
    });
  return to;
}

/** Squared distances from the mean over all axes but the last: of every image, then put together in double. */
export function spread(lowering: Lowering, node: NodeOf<'spread'>): void {
  const [x] = node.inputs;
  const entries = x.shape[0]!;
  const { sums, squares, stride, pixels } = moments(lowering, x);
  const to = lowering.plainBuffer(node);
  const args = [{ at: sums }, { at: squares }, entries, stride, pixels, node.size, { at: to }];
  const reads = [sums, squares].map((buffer) => ({ buffer, by: 'item' as const }));
  lowering.emit(op.spread, single, args, reads, [{ buffer: to, by: 'item' }]);
  lowering.define(node, to);
}

/** Sums, and sums of squared distances from the element's own mean, of every element of axis 0. */
interface Moments {
  readonly sums: Buffer;
  readonly squares: Buffer;
  /** Words from one element's values to the next. */
  readonly stride: number;
  /** Positions that an element's sums are over. */
  readonly pixels: number;
}

function moments(lowering: Lowering, x: Node): Moments {
  const channels = x.shape.at(-1)!;
  if (x.shape.length === 2) return singleMoments(lowering, x);
  const image = x.shape.length === 4 ? x : asImage(lowering, x);
  const { blocks, pixels } = blockedShape(image.shape);
  const images = lowering.imagesOf(image);
  const stride = blocks * 16;
  const grid = lowering.gridOf(image);
  const make = () => lowering.buffer(grid, (stride * x.shape[0]!) / grid.items);
  const isNew = !lowering.isKnown(`sums${x.id}`);
  const [sums, squares] = ['sums', 'squares'].map((name) => lowering.memo(`${name}${x.id}`, make)) as [Buffer, Buffer];
  if (isNew) {
    const buffer = lowering.get(image, 'blocked');
    const places = [sums, squares].flatMap((to) => [{ at: to }, images.strideOf(to)]);
    const args = [{ at: buffer }, images.strideOf(buffer), blocks, pixels, ...places];
    const writes = [sums, squares].map((to) => ({ buffer: to, by: images.by }));
    lowering.emit(op.moments, images.grid, args, [{ buffer, by: images.by }], writes);
  }
  return { sums, squares, stride, pixels: x.size / x.shape[0]! / channels };
}

/** Of one position, the sum is the value and its distance from itself is 0. */
function singleMoments(lowering: Lowering, x: Node): Moments {
  const squares = lowering.memo(`zeros${x.size}`, () => {
    const zeros = lowering.buffer(single, x.size);
    lowering.fill(single, zeros, 0, 'float32');
    return zeros;
  });
  return { sums: lowering.get(x), squares, stride: x.shape[1]!, pixels: 1 };
}

function asImage(lowering: Lowering, x: Node): Node {
  const [images, channels] = [x.shape[0]!, x.shape.at(-1)!];
  const image = reshape(lowering.graph, x, [images, x.size / images / channels, 1, channels]);
  lowering.lower([image]);
  return image;
}

/** Index of the first extreme value along an axis. */
export function argExtreme(lowering: Lowering, node: NodeOf<ArgOp>): void {
  const [x] = node.inputs;
  const [axis] = node.attrs.axes as readonly [number];
  const isMax = node.op === 'argMax';
  const isFloat = x.dtype === 'float32';
  const kind = isMax ? reduceKind[isFloat ? 'max' : 'imax'] : reduceKind[isFloat ? 'min' : 'imin'];
  const isImages = axis > 0 && lowering.gridOf(x).kind === 'image';
  const grid = isImages ? lowering.images : single;
  const [before, length] = [sizeOf(x.shape.slice(isImages ? 1 : 0, axis)), x.shape[axis]!];
  const rest = sizeOf(x.shape.slice(axis + 1));
  const from = isImages ? lowering.get(x) : whole(lowering.get(x));
  const to = lowering.plainBuffer(node);
  const args = [kind, { at: from }, { strideOf: from }, before, length, rest, { at: to }, { strideOf: to }];
  lowering.emit(op.arg, grid, args, [{ buffer: from, by: 'item' }], [{ buffer: to, by: 'item' }]);
  lowering.define(node, to);
}
