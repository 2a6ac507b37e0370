import type { ArgOp, DType, NodeOf, ReduceOp } from '../../ir/node.js';
import type { Shape } from '../../ir/shape.js';
import { floats, integers } from './elementwise.js';
import { addition, imageGroup, inGroups, multiplication, ofElements, spreadOf } from './sums.js';
import { newValues, placesOf, stridesOf, taken, type Values } from './tensor.js';

/** Elements of a tensor of some shape, and the axes to reduce. */
interface Reduced {
  readonly x: Values;
  readonly shape: Shape;
  readonly axes: readonly number[];
}

/** Sum, product, maximum or minimum over some axes. */
export function reduce(op: ReduceOp, reduced: Reduced): Values {
  const { x, shape, axes } = reduced;
  if (op === 'max' || op === 'min' || x instanceof Int32Array) return fold(op, reduced);
  const combine = op === 'sum' ? addition : multiplication;
  const chains = axes.includes(shape.length - 1) ? 16 : 4;
  const hasInner = axes.some((axis) => axis !== 0);
  return perOutput(reduced, 'float32', (images) => {
    const values = images.map((image) => (hasInner ? ofElements(image as Float32Array, chains, combine) : image[0]!));
    return axes.includes(0) ? inGroups(values, imageGroup, combine) : values[0]!;
  });
}

/** Reductions whose result doesn't depend on the order. A maximum or minimum of zeros is +0. */
function fold(op: ReduceOp, reduced: Reduced): Values {
  const name = ({ sum: 'add', prod: 'mul', max: 'maximum', min: 'minimum' } as const)[op];
  const isFloat = reduced.x instanceof Float32Array;
  const of = (isFloat ? floats : integers)[name]!;
  return perOutput(reduced, isFloat ? 'float32' : 'int32', (images) => flat(images).reduce((a, b) => of(a, b)) + 0);
}

/** Position of the first extreme value along an axis; a NaN is more extreme than any number. */
export function argExtreme(op: ArgOp, reduced: Reduced): Values {
  const isMore = op === 'argMax' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b;
  return perOutput(reduced, 'int32', (images) =>
    flat(images).reduce((best, value, i, line) => {
      const isFirstNaN = Number.isNaN(value) && !Number.isNaN(line[best]);
      return isFirstNaN || isMore(value, line[best]!) ? i : best;
    }, 0),
  );
}

export function spread(reduced: Reduced): Values {
  return perOutput(reduced, 'float32', (images) => spreadOf(images as Float32Array[]));
}

/** exp(x − maximum), and that divided by its sum, along an axis. */
export function softmax(node: NodeOf<'softmax'>, x: Values): Values {
  const { shape } = node;
  const axes = [node.attrs.axis];
  const strides = stridesOf(shape.filter((_, axis) => axis !== node.attrs.axis)).toSpliced(node.attrs.axis, 0, 0);
  const places = placesOf(shape, strides);
  const largest = reduce('max', { x, shape, axes });
  const powers = x.map((value, i) => floats.exp!(Math.fround(value - largest[places[i]!]!), 0)) as Values;
  const totals = reduce('sum', { x: powers, shape, axes });
  return powers.map((power, i) => power / totals[places[i]!]!);
}

function flat(images: readonly Values[]): number[] {
  return images.flatMap((image) => [...image]);
}

/**
 * The number that `of` gives for each output, from its elements in row-major order of the reduced axes: an array for
 * each position on axis 0 if that is reduced, else a single one.
 */
function perOutput({ x, shape, axes }: Reduced, dtype: DType, of: (images: Values[]) => number): Values {
  const strides = stridesOf(shape);
  const along = (some: readonly number[]) => placesOf(some.map((axis) => shape[axis]!), some.map((axis) => strides[axis]!)); // prettier-ignore
  const outputs = along(shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis)));
  const images = along(axes.filter((axis) => axis === 0));
  const inner = along(axes.filter((axis) => axis !== 0));
  const elementsAt = (place: number) => taken(x, inner.map((offset) => offset + place)); // prettier-ignore
  return newValues(dtype, outputs.length).map((_, i) =>
    of(Array.from(images, (image) => elementsAt(outputs[i]! + image))),
  );
}
