import type { DType, Node } from '../../ir/node.js';
import { type Shape, sizeOf, toRank } from '../../ir/shape.js';

/** Elements of a tensor in row-major order. Booleans are the integers 0 and 1. */
export type Values = Float32Array | Int32Array;

export function newValues(dtype: DType, size: number): Values {
  return dtype === 'float32' ? new Float32Array(size) : new Int32Array(size);
}

/** Elements from one position to the next, along each dimension. */
export function stridesOf(shape: Shape): number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}

/** Place of each element of `shape`, in row-major order, in a tensor with other strides. */
export function placesOf(shape: Shape, strides: readonly number[], first = 0): Int32Array {
  const places = new Int32Array(sizeOf(shape));
  const fill = (axis: number, at: number, place: number): void => {
    if (axis === shape.length) return void (places[at] = place);
    const inside = sizeOf(shape.slice(axis + 1));
    for (let i = 0; i < shape[axis]!; i++) fill(axis + 1, at + i * inside, place + i * strides[axis]!);
  };
  fill(0, 0, first);
  return places;
}

/** Place in x of each element of a shape that x broadcasts to. */
export function broadcastPlaces(x: Node, shape: Shape): Int32Array {
  const full = toRank(x.shape, shape.length);
  const strides = stridesOf(full).map((stride, axis) => (full[axis] === 1 ? 0 : stride));
  return placesOf(shape, strides);
}

/** x at the given places. */
export function taken(x: Values, places: Int32Array): Values {
  const result = x instanceof Float32Array ? new Float32Array(places.length) : new Int32Array(places.length);
  return result.map((_, i) => x[places[i]!]!);
}
