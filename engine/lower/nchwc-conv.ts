import type { ConvAttrs, Node } from '../ir/node.js';
import { transpose } from '../ir/shape-ops.js';
import { channelsFirst } from './layout.js';
import type { ConvRule, Lowering, Rule } from './lowering.js';
import { blockedConv, blockedFilter, fromBlocked, toBlocked } from './nchwc-ops.js';
import { isPhased, stridedGradient } from './nchwc-strided.js';
import { portable } from './portable.js';

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
    if (isPhased(node, block)) return stridedGradient(lowering, node);
    const [dy, filter] = node.inputs;
    const { graph } = lowering;
    const [kh, kw] = filter.shape as [number, number];
    const [top, left, bottom, right] = node.attrs.pads;
    const pads = [kh - 1 - top, kw - 1 - left, kh - 1 - bottom, kw - 1 - right] as const;
    const reversed = graph.make('reverse', [filter], { axes: [0, 1] }, filter.shape, filter.dtype);
    const turned = transpose(graph, reversed, [0, 1, 3, 2]);
    if (!isDense(node.attrs) || Math.min(...pads) < 0 || !fits(block, turned)) {
      return portable.convInput(lowering, node);
    }
    define(lowering, node, { block, x: dy, filter: turned, bias: undefined, attrs: { ...node.attrs, pads } });
  };
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
  readonly bias: Node | undefined;
  readonly attrs: ConvAttrs;
}

/** Defines `result`, `[N, H, W, co]`, as the convolution. */
function define(lowering: Lowering, result: Node, conv: Convolution): void {
  const { block, filter, attrs } = conv;
  const [kh, kw, , co] = filter.shape as [number, number, number, number];
  if (paysInPairs(conv, result)) {
    return lowering.define(result, inRowPairs(lowering, result, conv), channelsFirst);
  }
  const layout = lowering.layoutOf(filter);
  const y = blockedConv(lowering, {
    x: readable(lowering, conv),
    filter: blockedFilter(lowering, { name: lowering.get(filter, layout), layout, shape: filter.shape }, block),
    bias: conv.bias && lowering.get(conv.bias),
    kernel: [kh, kw],
    pads: attrs.pads,
    strides: attrs.strides,
    dilations: attrs.dilations,
  });
  lowering.define(result, fromBlocked(lowering, y, co), channelsFirst);
}

/** x as the operator reads it. */
function readable(lowering: Lowering, { block, x, filter }: Convolution): string {
  const plain = lowering.get(x, channelsFirst);
  return filter.shape[2]! < block ? plain : toBlocked(lowering, plain);
}

/**
 * A single block of output channels leaves ONNX Runtime's kernel with too few independent sums. Computing two rows per
 * position gives two blocks, at the cost of one more row in the filter, which is little when the filter is large.
 */
function paysInPairs({ block, filter, attrs }: Convolution, result: Node): boolean {
  const [kh, , , co] = filter.shape;
  const dense = attrs.strides[0] === 1 && attrs.dilations[0] === 1;
  return co === block && dense && kh! >= 5 && result.shape[1]! % 2 === 0;
}

/**
 * Rows 2i and 2i + 1 of the result as two groups of channels of one position: the filter above a row of zeros, and below
 * one, moved by two rows at a time.
 */
function inRowPairs(lowering: Lowering, result: Node, conv: Convolution): string {
  const { writer } = lowering;
  const { block, attrs, filter } = conv;
  const [kh, kw, ci, co] = filter.shape as [number, number, number, number];
  const [batch, height, width] = result.shape as [number, number, number];
  const bias = conv.bias && lowering.get(conv.bias);
  const layout = lowering.layoutOf(filter);
  const withZeros = (above: number) => {
    const rows = (count: number) => layout.map((dimension) => (dimension === 0 ? count : 0));
    return writer.op('Pad', [lowering.get(filter, layout), writer.ints([...rows(above), ...rows(1 - above)])]);
  };
  const pair = writer.op('Concat', [withZeros(0), withZeros(1)], { axis: layout.indexOf(3) });
  const y = blockedConv(lowering, {
    x: readable(lowering, conv),
    filter: blockedFilter(lowering, { name: pair, layout, shape: [kh + 1, kw, ci, 2 * co] }, block),
    bias: bias && writer.op('Concat', [bias, bias], { axis: 0 }),
    kernel: [kh + 1, kw],
    pads: attrs.pads,
    strides: [2, attrs.strides[1]],
    dilations: attrs.dilations,
  });
  const rows = lowering.reshape(fromBlocked(lowering, y, 2 * co), [batch, 2, co, height / 2, width]);
  const inOrder = writer.op('Transpose', [rows], { perm: [0, 2, 3, 1, 4] });
  return lowering.reshape(inOrder, [batch, co, height, width]);
}
