import type { NodeOf } from '../ir/node.js';
import type { Lowering } from './lowering.js';

/**
 * Gradient of a convolution with respect to its filter: a convolution of x with dy, where images are channels and the
 * stride is the dilation.
 *
 * Width and input channel are merged into one axis: x `[1, B, H, W·ci]`, filter dy `[co, B, Ho, Wo]`, dilated by ci
 * along the merged axis; result `[1, co, kh, kw·ci]`. This is twice as fast as input channels as batch, because rows of x
 * are contiguous runs of kw·ci numbers.
 */
export function convFilter(lowering: Lowering, node: NodeOf<'convFilter'>): void {
  if (node.attrs.dilations.some((rate) => rate !== 1)) return dilatedFilter(lowering, node);
  const { writer } = lowering;
  const [x, dy] = node.inputs;
  const [batch, height, width] = x.shape as [number, number, number];
  const [kh, kw, ci, co] = node.shape as [number, number, number, number];
  const {
    pads: [top, left],
    strides: [sh, sw],
  } = node.attrs;
  const [bottom, right] = trailingPadding(node);
  const attributes = {
    kernel_shape: dy.shape.slice(1, 3),
    dilations: [sh, sw * ci],
    pads: [top, left * ci, Math.max(0, bottom), Math.max(0, right) * ci],
    strides: [1, 1],
  };
  const rows = lowering.reshape(lowering.get(x), [1, batch, height, width * ci]);
  const result = writer.op('Conv', [rows, lowering.get(dy, [3, 0, 1, 2])], attributes);
  const cut = bottom < 0 || right < 0 ? leading(lowering, result, kh, kw * ci) : result;
  lowering.define(node, lowering.reshape(cut, [co, kh, kw, ci]), [3, 0, 1, 2]);
}

/**
 * Filter gradient of a dilated convolution, whose dilation becomes a stride. This excludes a merged axis, so the input
 * channels are the batch: x `[ci, B, H, W]`, filter dy `[co, B, Ho, Wo]`, result `[ci, co, kh, kw]`.
 */
function dilatedFilter(lowering: Lowering, node: NodeOf<'convFilter'>): void {
  const [x, dy] = node.inputs;
  const { pads, strides, dilations } = node.attrs;
  const [bottom, right] = trailingPadding(node);
  const attributes = {
    kernel_shape: dy.shape.slice(1, 3),
    dilations: strides,
    strides: dilations,
    pads: [pads[0], pads[1], bottom, right],
  };
  const inputs = [lowering.get(x, [3, 0, 1, 2]), lowering.get(dy, [3, 0, 1, 2])];
  lowering.define(node, lowering.writer.op('Conv', inputs, attributes), [2, 3, 0, 1]);
}

/**
 * Padding at the bottom and right that gives the result the filter's size; negative if the forward convolution doesn't
 * reach the last rows or columns.
 */
export function trailingPadding(node: NodeOf<'convFilter'> | NodeOf<'depthwiseFilter'>): readonly [number, number] {
  const [x, dy] = node.inputs;
  const { pads, strides, dilations } = node.attrs;
  const filter = (i: 0 | 1) => (node.shape[i]! - 1) * dilations[i] + 1;
  const along = (i: 0 | 1) => strides[i] * (dy.shape[i + 1]! - 1) + filter(i) - x.shape[i + 1]! - pads[i];
  return [along(0), along(1)];
}

/** First rows and columns of the last two dimensions. */
export function leading(lowering: Lowering, name: string, rows: number, columns: number): string {
  const { writer } = lowering;
  return writer.op('Slice', [name, writer.ints([0, 0]), writer.ints([rows, columns]), writer.ints([2, 3])]);
}
