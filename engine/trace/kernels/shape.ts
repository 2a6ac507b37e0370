import type {
  ConcatAttrs,
  ExpandDimsAttrs,
  FillAttrs,
  GatherV2Attrs,
  OneHotAttrs,
  PadV2Attrs,
  PackAttrs,
  ReshapeAttrs,
  ReverseAttrs,
  SliceAttrs,
  SplitVAttrs,
  TileAttrs,
  TransposeAttrs,
  UnpackAttrs,
} from '@tensorflow/tfjs-core';
import { binary } from '../../ir/elementwise.js';
import type { Graph } from '../../ir/graph.js';
import type { DType, Node } from '../../ir/node.js';
import { broadcast, cast, reshape, transpose } from '../../ir/shape-ops.js';
import { type Shape, sizeOf } from '../../ir/shape.js';
import { tf } from '../../model/tfjs/tf.js';
import { type KernelCall, type KernelTable, Unsupported } from '../kernel.js';

export const shapes: KernelTable = {
  Concat: (call) => concat(call.graph, call.list(), call.attrs<ConcatAttrs>().axis),
  ExpandDims: (call) => insertAxis(call.graph, call.input('input'), call.attrs<ExpandDimsAttrs>().dim),
  Fill: (call) => {
    const { shape, value, dtype } = call.attrs<FillAttrs>();
    if (typeof value === 'string') throw new Unsupported('strings');
    return call.graph.splat(value, shape, (dtype as DType | undefined) ?? 'float32');
  },
  GatherV2: gather,
  OneHot: oneHot,
  OnesLike: (call) => call.graph.splat(1, call.input('x').shape, call.input('x').dtype),
  Pack: (call) => {
    const { axis } = call.attrs<PackAttrs>();
    const parts = call.list().map((part) => insertAxis(call.graph, part, axis));
    return concat(call.graph, parts, axis);
  },
  PadV2: pad,
  Reshape: (call) => {
    const x = call.input('x');
    return reshape(call.graph, x, tf.util.inferFromImplicitShape(call.attrs<ReshapeAttrs>().shape, x.size));
  },
  Reverse: (call) => {
    const x = call.input('x');
    const axes = tf.util.parseAxisParam(call.attrs<ReverseAttrs>().dims, [...x.shape]);
    return call.graph.make('reverse', [x], { axes }, x.shape, x.dtype);
  },
  Slice: (call) => {
    const { begin, size } = call.attrs<SliceAttrs>();
    const x = call.input('x');
    const [first, length] = tf.slice_util.parseSliceParams({ shape: [...x.shape] } as never, begin, size);
    return slice(call.graph, x, first!, length!);
  },
  SplitV: (call) => {
    const { numOrSizeSplits, axis } = call.attrs<SplitVAttrs>();
    return split(call.graph, call.input('x'), numOrSizeSplits, axis);
  },
  Tile: (call) => tile(call.graph, call.input('x'), call.attrs<TileAttrs>().reps),
  Transpose: (call) => transpose(call.graph, call.input('x'), call.attrs<TransposeAttrs>().perm),
  Unpack: (call) => {
    const { axis } = call.attrs<UnpackAttrs>();
    const x = call.input('value');
    const [at] = tf.util.parseAxisParam(axis, [...x.shape]);
    const shape = x.shape.filter((_, i) => i !== at);
    return split(call.graph, x, x.shape[at!]!, at!).map((part) => reshape(call.graph, part, shape));
  },
  ZerosLike: (call) => call.graph.splat(0, call.input('x').shape, call.input('x').dtype),
};

function slice(graph: Graph, x: Node, begin: readonly number[], size: Shape): Node {
  if (x.size === sizeOf(size)) return reshape(graph, x, size);
  return graph.make('slice', [x], { begin }, size, x.dtype);
}

function split(graph: Graph, x: Node, numOrSizes: number | number[], axisParam: number): Node[] {
  const [axis] = tf.util.parseAxisParam(axisParam, [...x.shape]) as [number];
  const sizes = tf.backend_util.prepareSplitSize({ shape: [...x.shape] } as never, numOrSizes, axis);
  let first = 0;
  return sizes.map((length) => {
    const begin = x.shape.map((_, i) => (i === axis ? first : 0));
    first += length;
    const size = x.shape.map((d, i) => (i === axis ? length : d));
    return slice(graph, x, begin, size);
  });
}

function concat(graph: Graph, parts: readonly Node[], axisParam: number): Node {
  const [first] = parts as [Node, ...Node[]];
  if (parts.length === 1) return first;
  const [axis] = tf.util.parseAxisParam(axisParam, [...first.shape]) as [number];
  const length = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  const shape = first.shape.map((d, i) => (i === axis ? length : d));
  return graph.make('concat', parts, { axis }, shape, first.dtype);
}

function insertAxis(graph: Graph, x: Node, axis: number): Node {
  const at = axis < 0 ? axis + x.shape.length + 1 : axis;
  return reshape(graph, x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

function tile(graph: Graph, x: Node, reps: readonly number[]): Node {
  const shape = x.shape.map((d, i) => d * reps[i]!);
  if (x.shape.every((d, i) => d === 1 || reps[i] === 1)) return broadcast(graph, x, shape);
  return graph.make('tile', [x], { reps }, shape, x.dtype);
}

function pad(call: KernelCall): Node {
  const { paddings, constantValue } = call.attrs<PadV2Attrs>();
  const x = call.input('x');
  const [before, after] = [paddings.map(([first]) => first), paddings.map(([, last]) => last)];
  const shape = x.shape.map((d, i) => d + before[i]! + after[i]!);
  return call.graph.make('pad', [x], { before, after, value: constantValue }, shape, x.dtype);
}

/** Comparison with 0, 1, … depth − 1. */
function oneHot(call: KernelCall): Node {
  const { graph } = call;
  const { depth, onValue, offValue, dtype } = call.attrs<OneHotAttrs>();
  if (onValue !== 1 || offValue !== 0) throw new Unsupported(`onValue ${onValue}, offValue ${offValue}`);
  const indices = insertAxis(graph, call.input('indices'), -1);
  const classes = graph.constant(
    Int32Array.from({ length: depth }, (_, i) => i),
    [depth],
    'int32',
  );
  return cast(graph, binary(graph, 'equal', indices, classes), (dtype as DType | undefined) ?? 'int32');
}

function gather(call: KernelCall): Node {
  const { axis: axisParam, batchDims } = call.attrs<GatherV2Attrs>();
  if (batchDims) throw new Unsupported(`batchDims ${batchDims}`);
  const [x, indices] = [call.input('x'), call.input('indices')];
  const [axis] = tf.util.parseAxisParam(axisParam, [...x.shape]) as [number];
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return call.graph.make('gather', [x, indices], { axis }, shape, x.dtype);
}
