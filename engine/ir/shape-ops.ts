import { type Graph, splatOf } from './graph.js';
import type { DType, Node } from './node.js';
import { sameShape, type Shape, show, sizeOf, withoutLeadingOnes } from './shape.js';

/** Same elements in another shape. */
export function reshape(graph: Graph, x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (x.size !== sizeOf(shape)) throw new Error(`reshape: expected ${x.size} elements, got ${show(shape)}`);
  if (x.op === 'reshape') return reshape(graph, x.inputs[0], shape);
  if (x.op === 'constant') {
    return 'splat' in x.attrs
      ? graph.splat(x.attrs.splat, shape, x.dtype)
      : graph.constant(x.attrs.data, shape, x.dtype);
  }
  if (x.op === 'broadcast' && sameShape(withoutLeadingOnes(shape), withoutLeadingOnes(x.shape))) {
    return broadcast(graph, x.inputs[0], shape);
  }
  return graph.make('reshape', [x], {}, shape, x.dtype);
}

/**
 * x repeated to `shape`. Elementwise operations use the operand instead (`unbroadcast`), so it is computed only if an
 * operation needs the full tensor.
 */
export function broadcast(graph: Graph, x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const splat = splatOf(x);
  if (splat !== undefined) return graph.splat(splat, shape, x.dtype);
  if (x.size === sizeOf(shape)) return reshape(graph, x, shape);
  if (x.op === 'broadcast') return broadcast(graph, x.inputs[0], shape);
  return graph.make('broadcast', [dropLeadingOnes(graph, x)], {}, shape, x.dtype);
}

/** Smallest tensor that broadcasts to x. */
export function unbroadcast(graph: Graph, x: Node): Node {
  if (x.op === 'broadcast') return x.inputs[0];
  const splat = splatOf(x);
  return splat === undefined ? x : graph.splat(splat, [], x.dtype);
}

export function dropLeadingOnes(graph: Graph, x: Node): Node {
  return reshape(graph, x, withoutLeadingOnes(x.shape));
}

/** Node before operations that only change shape or order; the node itself if there are none. */
export function withoutShapeOps(node: Node): Node {
  const shows = node.op === 'reshape' || node.op === 'transpose' || node.op === 'broadcast' || node.op === 'slice';
  return shows || node.op === 'pad' ? withoutShapeOps(node.inputs[0]) : node;
}

/** Output dimension i is input dimension `perm[i]`. */
export function transpose(graph: Graph, x: Node, perm: readonly number[]): Node {
  if (perm.every((p, i) => p === i)) return x;
  if (x.op === 'transpose') {
    const inner = x.attrs.perm;
    return transpose(
      graph,
      x.inputs[0],
      perm.map((p) => inner[p]!),
    );
  }
  const shape = perm.map((p) => x.shape[p]!);
  return graph.make('transpose', [x], { perm }, shape, x.dtype);
}

/** Conversion as in C: to an integer by truncation; to a boolean by `!= 0`. */
export function cast(graph: Graph, x: Node, dtype: DType): Node {
  if (x.dtype === dtype) return x;
  const splat = splatOf(x);
  if (splat !== undefined) return graph.splat(convert(splat, dtype), x.shape, dtype);
  if (x.op === 'broadcast') return broadcast(graph, cast(graph, x.inputs[0], dtype), x.shape);
  if (x.op === 'cast' && x.inputs[0].dtype === 'bool') return cast(graph, x.inputs[0], dtype);
  return graph.make('cast', [x], {}, x.shape, dtype);
}

function convert(value: number, dtype: DType): number {
  if (dtype === 'int32') return Math.trunc(value);
  return dtype === 'bool' ? Number(value !== 0) : value;
}
