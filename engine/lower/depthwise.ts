import type { Node, NodeOf } from '../ir/node.js';
import { convAttributes, outputPadding } from './conv.js';
import { leading, trailingPadding } from './conv-filter.js';
import { channelsFirst } from './layout.js';
import type { Lowering } from './lowering.js';

/** Depthwise convolution as a grouped convolution with one group per input channel. */
export function depthwise(lowering: Lowering, node: NodeOf<'depthwise'>): void {
  const [x, filter] = node.inputs;
  const attributes = { ...convAttributes(filter, node.attrs), group: x.shape[3]! };
  const inputs = [lowering.get(x, channelsFirst), grouped(lowering, filter)];
  lowering.define(node, lowering.writer.op('Conv', inputs, attributes), channelsFirst);
}

export function depthwiseInput(lowering: Lowering, node: NodeOf<'depthwiseInput'>): void {
  const [dy, filter] = node.inputs;
  const attributes = {
    ...convAttributes(filter, node.attrs),
    group: node.shape[3]!,
    output_padding: outputPadding(node, dy, filter.shape, node.attrs),
  };
  const inputs = [lowering.get(dy, channelsFirst), grouped(lowering, filter)];
  lowering.define(node, lowering.writer.op('ConvTranspose', inputs, attributes), channelsFirst);
}

/** Filter gradient. Each channel is a group with the images as channels: x `[1, C·B, H, W]`, dy `[C·m, B, …]`. */
export function depthwiseFilter(lowering: Lowering, node: NodeOf<'depthwiseFilter'>): void {
  const { writer } = lowering;
  const [x, dy] = node.inputs;
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [kh, kw, , multiplier] = node.shape as [number, number, number, number];
  const [bottom, right] = trailingPadding(node);
  const [top, left] = node.attrs.pads;
  const attributes = {
    kernel_shape: dy.shape.slice(1, 3),
    dilations: node.attrs.strides,
    pads: [top, left, Math.max(0, bottom), Math.max(0, right)],
    strides: node.attrs.dilations,
    group: channels,
  };
  const rows = lowering.reshape(lowering.get(x, [3, 0, 1, 2]), [1, channels * batch, height, width]);
  const result = writer.op('Conv', [rows, lowering.get(dy, [3, 0, 1, 2])], attributes);
  const cut = bottom < 0 || right < 0 ? leading(lowering, result, kh, kw) : result;
  lowering.define(node, lowering.reshape(cut, [channels, multiplier, kh, kw]), [2, 3, 0, 1]);
}

/** A filter `[kh, kw, c, m]` as `[c·m, 1, kh, kw]`. */
function grouped(lowering: Lowering, filter: Node): string {
  const [kh, kw, channels, multiplier] = filter.shape as [number, number, number, number];
  const shape = [channels * multiplier, 1, kh, kw];
  return lowering.memo(`grouped${filter.id}`, () => lowering.reshape(lowering.get(filter, [2, 3, 0, 1]), shape));
}
