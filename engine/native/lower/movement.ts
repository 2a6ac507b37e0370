import type { Node, NodeOf } from '../../ir/node.js';
import { sizeOf } from '../../ir/shape.js';
import { op } from '../plan/opcodes.js';
import { type Buffer, type Grid, single } from '../plan/plan-op.js';
import { broadcastStrides, elementwise, step } from './elementwise.js';
import type { Lowering } from './lowering.js';
import { type Dimension, move, stridesOf } from './move.js';

// Rules of operations that only move elements. Constants, inputs and weights are where the caller has them.

export function constant(lowering: Lowering, node: NodeOf<'constant'>): void {
  const { items } = lowering.gridOf(node);
  lowering.define(node, { ...lowering.constants.array(node), items, words: node.size / items });
}

/** u8 images that no elementwise operation reads directly. */
export function input(lowering: Lowering, node: NodeOf<'input'>): void {
  if (node.attrs.stored === 'uint8') return step(lowering, node, 'copy', [node]);
  lowering.define(node, lowering.external(node));
}

export function param(lowering: Lowering, node: NodeOf<'param'>): void {
  lowering.define(node, lowering.external(node));
}

/** The same memory, divided by the new shape's first dimension. */
export function reshape(lowering: Lowering, node: NodeOf<'reshape'>): void {
  const { items } = lowering.gridOf(node);
  lowering.define(node, { ...lowering.get(node.inputs[0]), items, words: node.size / items });
}

export function cast(lowering: Lowering, node: NodeOf<'cast'>): void {
  elementwise(lowering, node);
}

/** A move whose dimensions are those of the node: strides in the input, first element, and lengths. */
interface Strided {
  readonly x: Node;
  readonly first?: number;
  readonly strides: readonly number[];
  readonly shape?: readonly number[];
  /** First element of the part of the result that is written. */
  readonly to?: readonly number[];
}

/** True if item i of the result is made of item i of the input. */
function isPerImage(lowering: Lowering, node: Node, x: Node, stride: number): boolean {
  const isImage = lowering.gridOf(node).kind === 'image' && lowering.gridOf(x).kind === 'image';
  return isImage && stride === x.size / x.shape[0]!;
}

function strided(lowering: Lowering, node: Node, result: Buffer, { x, first = 0, strides, ...part }: Strided): void {
  const { shape = node.shape, to = node.shape.map(() => 0) } = part;
  const out = stridesOf(node.shape);
  const dimensions = shape.map((n, i): Dimension => [n, strides[i]!, out[i]!]);
  const toWord = to.reduce((word, position, i) => word + position * out[i]!, 0);
  const copy = { from: lowering.get(x), fromWord: first, to: result, toWord };
  const perImage = isPerImage(lowering, node, x, strides[0]!) && shape[0] === node.shape[0] && to[0] === 0;
  if (perImage) move(lowering, lowering.images, { ...copy, dimensions: dimensions.slice(1) });
  else move(lowering, single, { ...copy, from: whole(copy.from), to: whole(result), dimensions });
}

/** The whole memory of a buffer as one item. */
export function whole(buffer: Buffer): Buffer {
  return { ...buffer, items: 1, words: buffer.words * buffer.items };
}

function define(lowering: Lowering, node: Node, moves: (result: Buffer) => void): void {
  const result = lowering.plainBuffer(node);
  moves(result);
  lowering.define(node, result);
}

export function broadcast(lowering: Lowering, node: NodeOf<'broadcast'>): void {
  const [x] = node.inputs;
  const strides = broadcastStrides(x.shape, node.shape);
  const sameForAll = strides[0] === 0 && lowering.gridOf(node).kind === 'image';
  define(lowering, node, (result) => {
    if (!sameForAll) return strided(lowering, node, result, { x, strides });
    const out = stridesOf(node.shape);
    const dimensions = node.shape.map((n, i): Dimension => [n, strides[i]!, out[i]!]).slice(1);
    move(lowering, lowering.images, { from: whole(lowering.get(x)), to: result, dimensions });
  });
}

export function transpose(lowering: Lowering, node: NodeOf<'transpose'>): void {
  const [x] = node.inputs;
  const from = stridesOf(x.shape);
  const strides = node.attrs.perm.map((axis) => from[axis]!);
  define(lowering, node, (result) => strided(lowering, node, result, { x, strides }));
}

export function slice(lowering: Lowering, node: NodeOf<'slice'>): void {
  const [x] = node.inputs;
  const strides = stridesOf(x.shape);
  const { begin } = node.attrs;
  const first = begin.reduce((word, at, i) => word + at * strides[i]!, 0);
  const inImage = begin[0] === 0 && node.shape[0] === x.shape[0];
  define(lowering, node, (result) =>
    strided(lowering, node, result, { x: inImage ? x : node.inputs[0], first, strides }),
  );
}

export function reverse(lowering: Lowering, node: NodeOf<'reverse'>): void {
  const [x] = node.inputs;
  const strides = stridesOf(x.shape);
  const { axes } = node.attrs;
  const first = axes.reduce((word, axis) => word + (x.shape[axis]! - 1) * strides[axis]!, 0);
  const turned = strides.map((stride, i) => (axes.includes(i) ? -stride : stride));
  define(lowering, node, (result) => strided(lowering, node, result, { x, first, strides: turned }));
}

/** Element i of a dimension is element i mod n of the input: one move per repetition. */
export function tile(lowering: Lowering, node: NodeOf<'tile'>): void {
  const [x] = node.inputs;
  const strides = stridesOf(x.shape);
  const { reps } = node.attrs;
  define(lowering, node, (result) => {
    for (const at of positions(reps)) {
      const to = at.map((i, axis) => i * x.shape[axis]!);
      strided(lowering, node, result, { x, strides, shape: x.shape, to });
    }
  });
}

function positions(counts: readonly number[]): number[][] {
  return counts.reduce<number[][]>(
    (all, count) => all.flatMap((at) => Array.from({ length: count }, (_, i) => [...at, i])),
    [[]],
  );
}

export function pad(lowering: Lowering, node: NodeOf<'pad'>): void {
  const [x] = node.inputs;
  const { before, value } = node.attrs;
  const strides = stridesOf(x.shape);
  define(lowering, node, (result) => {
    const grid = isPerImage(lowering, node, x, strides[0]!) ? lowering.images : single;
    lowering.fill(grid, grid.kind === 'image' ? result : whole(result), value, node.dtype);
    if (sizeOf(x.shape) > 0) strided(lowering, node, result, { x, strides, shape: x.shape, to: before });
  });
}

export function concat(lowering: Lowering, node: NodeOf<'concat'>): void {
  const { axis } = node.attrs;
  define(lowering, node, (result) => {
    let offset = 0;
    for (const x of node.inputs) {
      const to = node.shape.map((_, i) => (i === axis ? offset : 0));
      strided(lowering, node, result, { x, strides: stridesOf(x.shape), shape: x.shape, to });
      offset += x.shape[axis]!;
    }
  });
}

export function gather(lowering: Lowering, node: NodeOf<'gather'>): void {
  const [x, indices] = node.inputs;
  const { axis } = node.attrs;
  const outer = sizeOf(x.shape.slice(0, axis));
  const [length, inner] = [x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))];
  const grid: Grid = outer === 1 ? single : { kind: 'tasks', items: outer };
  const [from, index, to] = [lowering.get(x), lowering.get(indices), lowering.plainBuffer(node)];
  const args = [
    { at: from },
    length * inner,
    length,
    inner,
    { at: index },
    indices.size,
    { at: to },
    indices.size * inner,
  ];
  const reads = [from, index].map((buffer) => ({ buffer, by: 'whole' as const }));
  lowering.emit(op.gather, grid, args, reads, [{ buffer: to, by: 'whole' }]);
  lowering.define(node, to);
}
