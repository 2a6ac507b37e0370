import type { Node, NodeOf } from '../ir/node.js';
import type { Lowering } from './lowering.js';
import { asRows, convWindows, gatherRows, pixelsOfWindows, sizeOfImage, windowsOfPixels } from './windows.js';

/**
 * Convolutions as matrix products: each row holds the pixels of one output position's window. Unlike a device's convolution
 * library, this chooses no algorithm by timing, which would differ between processes.
 */
export function conv(lowering: Lowering, node: NodeOf<'conv'>, result: Node = node, bias?: Node): void {
  const [, filter] = node.inputs;
  const [kh, kw, ci, co] = filter.shape as [number, number, number, number];
  const [batch, height, width] = node.shape as [number, number, number];
  const rows = lowering.reshape(columnsOf(lowering, node), [batch * height * width, kh * kw * ci]);
  const matrix = lowering.reshape(lowering.get(filter), [kh * kw * ci, co]);
  const product = lowering.writer.op('Gemm', [rows, matrix, ...(bias ? [lowering.get(bias)] : [])]);
  lowering.define(result, lowering.reshape(product, node.shape));
}

/** Windows of x, `[N, Ho · Wo · kh · kw, ci]`; shared by forward and filter gradient. */
function columnsOf(lowering: Lowering, node: NodeOf<'conv'> | NodeOf<'convFilter'>): string {
  const [x, other] = node.inputs;
  const [filter, output] = node.op === 'conv' ? [other.shape, node] : [node.shape, other];
  const windows = convWindows(filter, node.attrs);
  return lowering.memo(`columns${x.id},${JSON.stringify(windows)}`, () => {
    const { name, shape } = asRows(lowering, x);
    return gatherRows(lowering, name, shape, pixelsOfWindows(windows, sizeOfImage(x), sizeOfImage(output)));
  });
}

/**
 * Filter gradient: dyᵀ · columns per image, `[N, co, kh · kw · ci]`, then the sum over images. This gives short sums, and
 * enough of them to occupy a GPU.
 */
export function convFilter(lowering: Lowering, node: NodeOf<'convFilter'>): void {
  const [, dy] = node.inputs;
  const [kh, kw, ci, co] = node.shape as [number, number, number, number];
  const [batch, height, width] = dy.shape as [number, number, number];
  const { writer } = lowering;
  const turned = lowering.reshape(lowering.get(dy, [0, 3, 1, 2]), [batch, co, height * width]);
  const columns = lowering.reshape(columnsOf(lowering, node), [batch, height * width, kh * kw * ci]);
  const products = writer.op('MatMul', [turned, columns]);
  const sum = writer.op('ReduceSum', [products, writer.ints([0])], { keepdims: 0 });
  lowering.define(node, lowering.reshape(sum, [co, kh, kw, ci]), [3, 0, 1, 2]);
}

/** Input gradient: each row holds the outputs whose windows contain one pixel, by its position in them. */
export function convInput(lowering: Lowering, node: NodeOf<'convInput'>): void {
  const [dy, filter] = node.inputs;
  const [kh, kw, ci, co] = filter.shape as [number, number, number, number];
  const [batch, height, width] = node.shape as [number, number, number];
  const indices = windowsOfPixels(convWindows(filter.shape, node.attrs), sizeOfImage(node), sizeOfImage(dy));
  const { name, shape } = asRows(lowering, dy);
  const gathered = gatherRows(lowering, name, shape, indices);
  const rows = lowering.reshape(gathered, [batch * height * width, kh * kw * co]);
  const matrix = lowering.reshape(lowering.get(filter, [0, 1, 3, 2]), [kh * kw * co, ci]);
  lowering.define(node, lowering.reshape(lowering.writer.op('Gemm', [rows, matrix]), node.shape));
}
