import type { ConvAttrs, Node, NodeOf } from '../ir/node.js';
import { transpose } from '../ir/shape-ops.js';
import { channelBlocks, channelsFirst } from './layout.js';
import type { ConvRule, Lowering, Rule } from './lowering.js';
import { blockedConv, blockedFilter } from './nchwc-ops.js';
import { portable } from './portable.js';
import { isPhased, stridedGradient } from './nchwc-strided.js';

/** Forward convolution, with or without bias. */
export function convolution(block: number): ConvRule {
  return (lowering, node, result = node, bias) => {
    const [x, filter] = node.inputs;
    if (!fits(block, filter)) return portable.conv(lowering, node, result, bias);
    define(lowering, result, { block, x, filter, bias, attrs: node.attrs });
  };
}

/**
 * The gradient by the input of a convolution without stride: a convolution of dy with the filter turned by 180° and its
 * channels exchanged, padded so that every row of dy meets every row of the filter. With stride: `stridedGradient`.
 */
export function inputGradient(block: number): Rule<'convInput'> {
  return (lowering, node) => {
    if (isPhased(node, block)) return stridedGradient(lowering, node, block);
    const conv = turnedConvolution(lowering, node, block);
    if (conv) return define(lowering, node, conv);
    portable.convInput(lowering, node);
  };
}

/** Addition; of such a gradient and another one, as where a residual network's ways part, in one pass. */
export function withGradients(block: number, addition: Rule<'add'>): Rule<'add'> {
  return (lowering, node) => {
    const [a, b] = node.inputs;
    for (const [gradient, rest] of [
      [a, b],
      [b, a],
    ] as const) {
      if (gradient.op !== 'convInput' || rest.size !== node.size || !lowering.isFusible(gradient)) continue;
      const conv = isPhased(gradient, block) ? undefined : turnedConvolution(lowering, gradient, block);
      if (conv) return define(lowering, node, { ...conv, rest });
    }
    addition(lowering, node);
  };
}

function turnedConvolution(lowering: Lowering, node: NodeOf<'convInput'>, block: number): Convolution | undefined {
  const [dy, filter] = node.inputs;
  const { graph } = lowering;
  const [kh, kw] = filter.shape as [number, number];
  const [top, left, bottom, right] = node.attrs.pads;
  const pads = [kh - 1 - top, kw - 1 - left, kh - 1 - bottom, kw - 1 - right] as const;
  const reversed = graph.make('reverse', [filter], { axes: [0, 1] }, filter.shape, filter.dtype);
  const turned = transpose(graph, reversed, [0, 1, 3, 2]);
  if (!isDense(node.attrs) || Math.min(...pads) < 0 || !fits(block, turned)) return undefined;
  return { block, x: dy, filter: turned, attrs: { ...node.attrs, pads } };
}

function isDense({ strides, dilations }: ConvAttrs): boolean {
  return [...strides, ...dilations].every((step) => step === 1);
}

/** Whether the operator takes a filter `[kh, kw, ci, co]`. Fewer input channels than a block are read unblocked. */
function fits(block: number, { shape: [, , ci, co] }: Node): boolean {
  return co! % block === 0 && (ci! % block === 0 || ci! < block);
}

interface Convolution {
  readonly block: number;
  readonly x: Node;
  /** `[kh, kw, ci, co]` */
  readonly filter: Node;
  readonly bias?: Node | undefined;
  /** Is added. */
  readonly rest?: Node;
  readonly attrs: ConvAttrs;
}

/** Defines `result`, `[N, H, W, co]`, as the convolution. */
function define(lowering: Lowering, result: Node, conv: Convolution): void {
  const { block, filter, attrs } = conv;
  const [kh, kw, , co] = filter.shape as [number, number, number, number];
  const layout = lowering.layoutOf(filter);
  const y = blockedConv(lowering, {
    ...(co === block ? withColumns(lowering, conv) : { x: readable(lowering, conv), pads: attrs.pads }),
    filter: blockedFilter(lowering, { name: lowering.get(filter, layout), layout, shape: filter.shape }, block),
    bias: conv.bias && lowering.get(conv.bias),
    sum: conv.rest && lowering.get(conv.rest, channelBlocks),
    kernel: [kh, kw],
    strides: attrs.strides,
    dilations: attrs.dilations,
  });
  lowering.define(result, y, channelBlocks);
}

/** x as the operator reads it. */
function readable(lowering: Lowering, { block, x, filter }: Convolution): string {
  return lowering.get(x, filter.shape[2]! < block ? channelsFirst : channelBlocks);
}

/**
 * x with its columns of padding written out. ONNX Runtime's kernel computes six positions of a row at once, but each one
 * whose window reaches into padding alone; with a single block of output channels that leaves it waiting for its own
 * sums. So there, 10 % faster.
 */
function withColumns(lowering: Lowering, conv: Convolution) {
  const { writer } = lowering;
  const [top, left, bottom, right] = conv.attrs.pads;
  const x = readable(lowering, conv);
  if (left + right === 0) return { x, pads: conv.attrs.pads };
  const [batch, height, width] = conv.x.shape as [number, number, number];
  const ci = conv.filter.shape[2]!;
  const together = ci < conv.block ? 1 : conv.block;
  const rows = lowering.reshape(x, [batch, ci / together, height, width * together]);
  const pads = writer.ints([0, 0, 0, left * together, 0, 0, 0, right * together]);
  const padded = lowering.reshape(writer.op('Pad', [rows, pads]), [batch, ci, height, left + width + right]);
  return { x: padded, pads: [top, 0, bottom, 0] };
}
