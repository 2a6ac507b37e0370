import type { ConvAttrs, Node, NodeOf } from '../ir/node.js';
import { channelsFirst, filtersFirst } from './layout.js';
import type { Lowering } from './lowering.js';

/** Attributes of an ONNX Conv with a filter `[kh, kw, …]`. */
export function convAttributes(filter: Node, { pads, strides, dilations }: ConvAttrs) {
  return { kernel_shape: filter.shape.slice(0, 2), pads, strides, dilations };
}

export function conv(lowering: Lowering, node: NodeOf<'conv'>, result: Node = node, bias?: Node): void {
  const [x, filter] = node.inputs;
  const inputs = [lowering.get(x, channelsFirst), lowering.get(filter, filtersFirst)];
  if (bias) inputs.push(lowering.get(bias));
  lowering.define(result, lowering.writer.op('Conv', inputs, convAttributes(filter, node.attrs)), channelsFirst);
}

/** Gradient with respect to the input: a transposed convolution of dy, which is faster here than one with a rotated filter. */
export function convInput(lowering: Lowering, node: NodeOf<'convInput'>): void {
  const [dy, filter] = node.inputs;
  const inputs = [lowering.get(dy, channelsFirst), lowering.get(filter, filtersFirst)];
  const attributes = {
    ...convAttributes(filter, node.attrs),
    output_padding: outputPadding(node, dy, filter.shape, node.attrs),
  };
  lowering.define(node, lowering.writer.op('ConvTranspose', inputs, attributes), channelsFirst);
}

/** Rows and columns at the end that the forward convolution doesn't reach; undefined if there are none. */
export function outputPadding(
  x: Node,
  dy: Node,
  kernel: readonly number[],
  { pads, strides, dilations }: ConvAttrs,
): readonly number[] | undefined {
  const left = [0, 1].map((i) => {
    const reached =
      (dy.shape[i + 1]! - 1) * strides[i]! - pads[i]! - pads[i + 2]! + (kernel[i]! - 1) * dilations[i]! + 1;
    return x.shape[i + 1]! - reached;
  });
  return left.some((rows) => rows !== 0) ? left : undefined;
}
