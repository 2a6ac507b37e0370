import { binary, subtract, times } from './elementwise.js';
import { type Graph, splatOf } from './graph.js';
import type { ArgOp, Node, NodeOf, ReduceOp } from './node.js';
import { factorsOf } from './product.js';
import { broadcast, reshape } from './shape-ops.js';
import { sameShape, type Shape, toRank } from './shape.js';

/** Axes of a reduction; undefined means all. */
export interface Reduction {
  readonly axes?: readonly number[] | number | null | undefined;
  readonly keepDims?: boolean;
}

/** Sum, product, maximum or minimum over some axes. */
export function reduce(graph: Graph, op: ReduceOp, x: Node, { axes, keepDims }: Reduction): Node {
  const all = normaliseAxes(axes, x.shape.length);
  const live = all.filter((axis) => x.shape[axis] !== 1);
  const out = keepDims ? kept(x.shape, all) : without(x.shape, all);
  if (live.length === 0) return reshape(graph, x, out);
  const result = (op === 'sum' ? simplifySum(graph, x, live) : undefined) ?? reduceNode(graph, op, x, live);
  return reshape(graph, result, out);
}

export function mean(graph: Graph, x: Node, reduction: Reduction): Node {
  const axes = normaliseAxes(reduction.axes, x.shape.length);
  const share = graph.splat(Math.fround(1 / elementsOver(x.shape, axes)), []);
  const result = times(graph, reduce(graph, 'sum', x, { axes }), share);
  return reduction.keepDims ? reshape(graph, result, kept(x.shape, axes)) : result;
}

/** Index of the first extreme value along one axis, as int32. */
export function argExtreme(graph: Graph, op: ArgOp, x: Node, axis: number): Node {
  const axes = normaliseAxes(axis, x.shape.length);
  return graph.make(op, [x], { axes }, without(x.shape, axes), 'int32');
}

function reduceNode(graph: Graph, op: ReduceOp, x: Node, axes: readonly number[]): Node {
  return graph.make(op, [x], { axes }, without(x.shape, axes), x.dtype);
}

/** Cheaper form of the sum, of any shape with as many elements; undefined if there is none. */
function simplifySum(graph: Graph, x: Node, axes: readonly number[]): Node | undefined {
  const splat = splatOf(x);
  if (splat !== undefined) {
    return graph.splat(Math.fround(splat * elementsOver(x.shape, axes)), without(x.shape, axes), x.dtype);
  }
  if (x.op === 'broadcast') return sumOfBroadcast(graph, x.inputs[0], x.shape, axes);
  if (x.dtype !== 'float32') return undefined;
  if (isCentred(x, axes)) return graph.splat(0, without(x.shape, axes));
  const cheaper = spreadOf(graph, x, axes) ?? sumOfPooled(graph, x, axes);
  if (cheaper) return cheaper;
  if ((x.op === 'add' || x.op === 'sub') && isFree(graph, x, axes)) {
    const [a, b] = x.inputs.map((term) => reduce(graph, 'sum', broadcast(graph, term, x.shape), { axes }));
    return binary(graph, x.op, a!, b!);
  }
  return sumOfProduct(graph, x, axes);
}

/** Σ over repeated elements as a multiplication by the number of repetitions. */
function sumOfBroadcast(graph: Graph, x: Node, shape: Shape, axes: readonly number[]): Node | undefined {
  const full = toRank(x.shape, shape.length);
  const repeated = axes.filter((axis) => full[axis] === 1);
  if (repeated.length === 0) return undefined;
  const rest = axes.filter((axis) => full[axis] !== 1);
  const sum = reduce(graph, 'sum', reshape(graph, x, full), { axes: rest, keepDims: true });
  const total = times(graph, sum, graph.splat(elementsOver(shape, repeated), []));
  return broadcast(graph, total, kept(shape, axes));
}

/** Σ(f · s) = s · Σf if s doesn't vary along the axes. */
function sumOfProduct(graph: Graph, x: Node, axes: readonly number[]): Node | undefined {
  const { full, small } = factorsOf(x);
  if (!small) return undefined;
  const factor = toRank(small.shape, x.shape.length);
  if (!axes.every((axis) => factor[axis] === 1)) return undefined;
  const sum = reduce(graph, 'sum', reshape(graph, full, x.shape), { axes, keepDims: true });
  return times(graph, sum, reshape(graph, small, factor));
}

/** Σ(y − mean(y))² per channel, over every other axis: one operation, which needs no tensor of differences. */
function spreadOf(graph: Graph, x: Node, axes: readonly number[]): Node | undefined {
  if (x.op !== 'mul' || x.inputs[0] !== x.inputs[1] || !isCentred(x.inputs[0], axes)) return undefined;
  const [y] = x.inputs[0].inputs as readonly [Node, Node];
  const allButLast = y.shape.slice(0, -1).map((_, axis) => axis);
  if (!sameShape(y.shape, x.shape) || !sameShape(axes, allButLast)) return undefined;
  return graph.make('spread', [y], { axes }, y.shape.slice(-1), y.dtype);
}

/**
 * The sum that a `spread` stands for, of the squares of x − mean(x), for targets without such an operation. Its nodes
 * are those of which `reduce` made the spread.
 */
export function sumOfSquares(graph: Graph, { inputs: [x], attrs: { axes } }: NodeOf<'spread'>): Node {
  const share = graph.splat(Math.fround(1 / elementsOver(x.shape, axes)), []);
  const average = times(graph, reduceNode(graph, 'sum', x, axes), share);
  const centred = subtract(graph, x, reshape(graph, average, kept(x.shape, axes)));
  return reduceNode(graph, 'sum', times(graph, centred, centred), axes);
}

/**
 * The gradient dz of max pooling has the elements of dy at the maxima of x, which are the elements of y. So over complete
 * windows Σ dz = Σ dy and Σ dz·x = Σ dy·y; with x = c · side, Σ dz·c = side · Σ dy·y.
 */
function sumOfPooled(graph: Graph, x: Node, axes: readonly number[]): Node | undefined {
  if (!axes.includes(1) || !axes.includes(2)) return undefined;
  if (x.op === 'maxPoolGrad') return reduce(graph, 'sum', x.inputs[0], { axes });
  if (x.op !== 'mul') return undefined;
  for (const [dz, c] of [x.inputs, [x.inputs[1], x.inputs[0]] as const]) {
    if (dz.op !== 'maxPoolGrad') continue;
    const [dy, source, y] = dz.inputs;
    const { full, small } = factorsOf(source);
    const side = c !== source && c === full && small?.op === 'side' ? small : undefined;
    if (c !== source && !side) continue;
    const product = times(graph, dy, side ? times(graph, y, side) : y);
    return reduce(graph, 'sum', product, { axes });
  }
  return undefined;
}

/** True if x is `y − mean(y)` over these axes, which sums to zero. */
export function isCentred(x: Node, axes: readonly number[]): boolean {
  if (x.op !== 'sub') return false;
  const [y, subtrahend] = x.inputs;
  const average = subtrahend.op === 'reshape' ? subtrahend.inputs[0] : subtrahend;
  if (average.op !== 'mul') return false;
  const [sum, factor] = average.inputs;
  if (sum.op !== 'sum' || sum.inputs[0] !== y || !sameShape(sum.attrs.axes, axes)) return false;
  const count = elementsOver(y.shape, axes);
  return Math.abs((splatOf(factor) ?? 0) * count - 1) < 1e-5;
}

/** True if Σx over the axes needs no additional pass over full-size data. */
function isFree(graph: Graph, x: Node, axes: readonly number[], rank = x.shape.length): boolean {
  const full = toRank(x.shape, rank);
  if (axes.every((axis) => full[axis] === 1) || x.op === 'constant' || x.op === 'broadcast') return true;
  if (x.shape.length === rank && (isKnown(graph, x, axes) || x.op === 'maxPoolGrad')) return true;
  if (x.op === 'add' || x.op === 'sub') return x.inputs.every((term) => isFree(graph, term, axes, rank));
  const { full: factor, small } = factorsOf(x);
  if (!small) return false;
  const shape = toRank(small.shape, rank);
  return axes.every((axis) => shape[axis] === 1) && isFree(graph, factor, axes, rank);
}

function isKnown(graph: Graph, x: Node, axes: readonly number[]): boolean {
  return isCentred(x, axes) || graph.has('sum', [x], { axes }, without(x.shape, axes), x.dtype);
}

function normaliseAxes(axes: Reduction['axes'], rank: number): readonly number[] {
  const list = axes === undefined || axes === null ? [...Array(rank).keys()] : [axes].flat();
  return list.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}

/** Shape with 1 at the axes. */
function kept(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((d, i) => (axes.includes(i) ? 1 : d));
}

function without(shape: Shape, axes: readonly number[]): Shape {
  return shape.filter((_, i) => !axes.includes(i));
}

function elementsOver(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * shape[axis]!, 1);
}
