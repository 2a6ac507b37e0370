import type { Node, NodeOf } from '../ir/node.js';
import type { Lowering } from './lowering.js';
import { asRows, convWindows, gatherRows, pixelsOfWindows, sizeOfImage, windowsOfPixels } from './windows.js';

/** Depthwise convolutions over the windows of `im2col-conv.ts`, as elementwise products and sums. */

export function depthwise(lowering: Lowering, node: NodeOf<'depthwise'>): void {
  const [x, filter] = node.inputs;
  const [kh, kw, channels, multiplier] = filter.shape as [number, number, number, number];
  const indices = pixelsOfWindows(convWindows(filter.shape, node.attrs), sizeOfImage(x), sizeOfImage(node));
  const products = lowering.writer.op('Mul', [
    pixels(lowering, x, indices, [kh * kw, channels, 1]),
    lowering.reshape(lowering.get(filter), [kh * kw, channels, multiplier]),
  ]);
  lowering.define(node, lowering.reshape(sum(lowering, products, [1]), node.shape));
}

export function depthwiseInput(lowering: Lowering, node: NodeOf<'depthwiseInput'>): void {
  const [dy, filter] = node.inputs;
  const [kh, kw, channels, multiplier] = filter.shape as [number, number, number, number];
  const indices = windowsOfPixels(convWindows(filter.shape, node.attrs), sizeOfImage(node), sizeOfImage(dy));
  const products = lowering.writer.op('Mul', [
    pixels(lowering, dy, indices, [kh * kw, channels, multiplier]),
    lowering.reshape(lowering.get(filter), [kh * kw, channels, multiplier]),
  ]);
  lowering.define(node, lowering.reshape(sum(lowering, products, [1, 3]), node.shape));
}

export function depthwiseFilter(lowering: Lowering, node: NodeOf<'depthwiseFilter'>): void {
  const [x, dy] = node.inputs;
  const [kh, kw, channels, multiplier] = node.shape as [number, number, number, number];
  const [batch, height, width] = dy.shape as [number, number, number];
  const indices = pixelsOfWindows(convWindows(node.shape, node.attrs), sizeOfImage(x), sizeOfImage(dy));
  const products = lowering.writer.op('Mul', [
    pixels(lowering, x, indices, [kh * kw, channels, 1]),
    lowering.reshape(lowering.get(dy), [batch * height * width, 1, channels, multiplier]),
  ]);
  const places = lowering.reshape(products, [batch, height * width, kh * kw * channels * multiplier]);
  lowering.define(node, lowering.reshape(sum(lowering, sum(lowering, places, [1]), [0]), node.shape));
}

/** Gathered pixels, reshaped to `shape` per position. */
function pixels(
  lowering: Lowering,
  image: Node,
  indices: Int32Array,
  shape: readonly [number, number, number],
): string {
  const rows = asRows(lowering, image);
  const gathered = gatherRows(lowering, rows.name, rows.shape, indices);
  const places = (image.shape[0]! * indices.length) / shape[0];
  return lowering.reshape(gathered, [places, ...shape]);
}

function sum({ writer }: Lowering, name: string, axes: readonly number[]): string {
  return writer.op('ReduceSum', [name, writer.ints(axes)], { keepdims: 0 });
}
