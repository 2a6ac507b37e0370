import type { Node, NodeOf } from '../../ir/node.js';
import { sizeOf } from '../../ir/shape.js';
import { broadcastPlaces, newValues, placesOf, stridesOf, taken, type Values } from './tensor.js';

/** Operations that only move elements. */

/** Written to every element that `gather` takes from outside: a NaN as f32. */
const outside = 0x7fc00000;

export function broadcast(node: NodeOf<'broadcast'>, x: Values): Values {
  return taken(x, broadcastPlaces(node.inputs[0], node.shape));
}

export function transpose(node: NodeOf<'transpose'>, x: Values): Values {
  const strides = stridesOf(node.inputs[0].shape);
  const turned = node.attrs.perm.map((axis) => strides[axis]!);
  return taken(x, placesOf(node.shape, turned));
}

export function slice(node: NodeOf<'slice'>, x: Values): Values {
  const strides = stridesOf(node.inputs[0].shape);
  const first = node.attrs.begin.reduce((place, at, axis) => place + at * strides[axis]!, 0);
  return taken(x, placesOf(node.shape, strides, first));
}

export function reverse(node: NodeOf<'reverse'>, x: Values): Values {
  const { axes } = node.attrs;
  const strides = stridesOf(node.shape);
  const first = axes.reduce((place, axis) => place + (node.shape[axis]! - 1) * strides[axis]!, 0);
  const turned = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
  return taken(x, placesOf(node.shape, turned, first));
}

/** Each dimension d, repeated r times, is two: r with stride 0, and d. */
export function tile(node: NodeOf<'tile'>, x: Values): Values {
  const { shape } = node.inputs[0];
  const strides = stridesOf(shape);
  const pairs = (of: (axis: number) => [number, number]) => shape.flatMap((_, axis) => of(axis));
  const places = placesOf(
    pairs((axis) => [node.attrs.reps[axis]!, shape[axis]!]),
    pairs((axis) => [0, strides[axis]!]),
  );
  return taken(x, places);
}

export function pad(node: NodeOf<'pad'>, x: Values): Values {
  const result = newValues(node.dtype, node.size).fill(node.attrs.value);
  return put(result, node, node.inputs[0], x, node.attrs.before);
}

export function concat(node: NodeOf<'concat'>, parts: readonly Values[]): Values {
  const result = newValues(node.dtype, node.size);
  let start = 0;
  node.inputs.forEach((part, i) => {
    const begin = node.shape.map((_, axis) => (axis === node.attrs.axis ? start : 0));
    put(result, node, part, parts[i]!, begin);
    start += part.shape[node.attrs.axis]!;
  });
  return result;
}

/** Writes x to a part of a larger tensor. */
function put(result: Values, { shape }: Node, x: Node, values: Values, begin: readonly number[]): Values {
  const strides = stridesOf(shape);
  const first = begin.reduce((place, at, axis) => place + at * strides[axis]!, 0);
  placesOf(x.shape, strides, first).forEach((place, i) => (result[place] = values[i]!));
  return result;
}

/** result[before][m][after] = x[before][indices[m]][after]. */
export function gather(node: NodeOf<'gather'>, x: Values, indices: Values): Values {
  const { shape } = node.inputs[0];
  const { axis } = node.attrs;
  const [before, length, after] = [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
  const words = new Int32Array(x.buffer, x.byteOffset, x.length);
  const result = new Int32Array(node.size);
  for (let b = 0, to = 0; b < before; b++) {
    for (const index of indices) {
      const isInside = index >= 0 && index < length;
      for (let i = 0; i < after; i++) result[to++] = isInside ? words[(b * length + index) * after + i]! : outside;
    }
  }
  return node.dtype === 'float32' ? new Float32Array(result.buffer) : result;
}
