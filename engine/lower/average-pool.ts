import type { NodeOf, PoolAttrs } from '../ir/node.js';
import type { Shape } from '../ir/shape.js';
import { channelsFirst } from './layout.js';
import type { Lowering } from './lowering.js';
import { poolAttributes, repeat, tiles } from './pool.js';

/** Average over the elements of each window that are inside the image. */
export function avgPool(lowering: Lowering, node: NodeOf<'avgPool'>): void {
  const attributes = { ...poolAttributes(node.attrs), count_include_pad: 0 };
  const x = lowering.get(node.inputs[0], channelsFirst);
  lowering.define(node, lowering.writer.op('AveragePool', [x], attributes), channelsFirst);
}

/** Gradient: dy divided by the size of its window, for every element of the window. */
export function avgPoolGrad(lowering: Lowering, node: NodeOf<'avgPoolGrad'>): void {
  const { writer } = lowering;
  const [dy] = node.inputs;
  const shares = windowShares(node.attrs, node.shape, dy.shape);
  const share = writer.constant(shares, [dy.shape[1]!, dy.shape[2]!]);
  const scaled = writer.op('Mul', [lowering.get(dy, channelsFirst), share]);
  const result = tiles(node.attrs, node.shape)
    ? repeat(lowering, scaled, node.attrs.window)
    : spread(lowering, node, scaled);
  lowering.define(node, result, channelsFirst);
}

/** Gradient for overlapping windows: a transposed depthwise convolution with ones. */
function spread(lowering: Lowering, node: NodeOf<'avgPoolGrad'>, dy: string): string {
  const { writer } = lowering;
  const { window, strides, pads } = node.attrs;
  const channels = node.shape[3]!;
  const ones = writer.constant(new Float32Array(channels * window[0] * window[1]).fill(1), [channels, 1, ...window]);
  const rows = node.inputs[0].shape;
  const padding = [0, 1].map((i) => {
    const reached = (rows[i + 1]! - 1) * strides[i]! - pads[i]! - pads[i + 2]! + window[i]!;
    return node.shape[i + 1]! - reached;
  });
  const attributes = { kernel_shape: window, strides, pads, group: channels, output_padding: padding };
  return writer.op('ConvTranspose', [dy, ones], attributes);
}

/** 1 / (elements of the window inside the image), for every output position, `[Ho · Wo]`. */
export function windowShares({ window, strides, pads }: PoolAttrs, x: Shape, y: Shape): Float32Array {
  const inside = (i: 0 | 1, position: number) => {
    const first = position * strides[i] - pads[i];
    return Math.min(first + window[i], x[i + 1]!) - Math.max(first, 0);
  };
  const width = y[2]!;
  return Float32Array.from({ length: y[1]! * width }, (_, i) => {
    return 1 / (inside(0, Math.floor(i / width)) * inside(1, i % width));
  });
}
