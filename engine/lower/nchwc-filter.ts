import type { NodeOf } from '../ir/node.js';
import { trailingPadding } from './conv-filter.js';
import { channelsFirst } from './layout.js';
import type { Lowering, Rule } from './lowering.js';
import { blockedConv, fromBlocked, toBlocked } from './nchwc-ops.js';
import { portable } from './portable.js';

/**
 * The gradient of a convolution by its filter, as in `convFilter`: images in the place of channels, width and input
 * channel merged into one axis. The images that fill whole blocks go through the direct convolution; the few that are
 * left over have a convolution of their own, and the two are added.
 */
export function filterGradient(block: number): Rule<'convFilter'> {
  return (lowering, node) => {
    const [kh, kw, ci, co] = node.shape as [number, number, number, number];
    const batch = node.inputs[0].shape[0]!;
    if (co % block !== 0 || batch < block || Math.min(...trailingPadding(node)) < 0) {
      return portable.convFilter(lowering, node);
    }
    const whole = batch - (batch % block);
    const merged = lowering.reshape(ofWholeBlocks(lowering, node, whole, block), [co, kh, kw, ci]);
    const result = whole === batch ? merged : lowering.writer.op('Add', [merged, ofLeftover(lowering, node, whole)]);
    lowering.define(node, result, [3, 0, 1, 2]);
  };
}

/** The sum over the first `count` images, `[1, co, kh, kw·ci]`. */
function ofWholeBlocks(lowering: Lowering, node: NodeOf<'convFilter'>, count: number, block: number): string {
  const { writer } = lowering;
  const [x, dy] = node.inputs;
  const [, height, width, ci] = x.shape as [number, number, number, number];
  const [top, left] = node.attrs.pads;
  const [bottom, right] = trailingPadding(node);
  const padded = writer.op('Pad', [
    images(lowering, lowering.get(x), 0, count, x.shape[0]!),
    writer.ints([0, top, left, 0, 0, bottom, right, 0]),
  ]);
  const rows = lowering.reshape(padded, [1, count, top + height + bottom, (left + width + right) * ci]);
  const [sh, sw] = node.attrs.strides;
  const y = blockedConv(lowering, {
    x: toBlocked(lowering, rows),
    filter: blockedImages(lowering, dy, count, block),
    kernel: [dy.shape[1]!, dy.shape[2]!],
    pads: [0, 0, 0, 0],
    strides: [1, 1],
    dilations: [sh, sw * ci],
  });
  return fromBlocked(lowering, y, dy.shape[3]!);
}

/**
 * dy as a blocked filter `[co, images, Ho, Wo]`. Blocking its channels as those of images does half of the work; the
 * rest moves whole runs of numbers.
 */
function blockedImages(
  lowering: Lowering,
  dy: NodeOf<'convFilter'>['inputs'][1],
  count: number,
  block: number,
): string {
  const { writer } = lowering;
  const [batch, height, width, co] = dy.shape as [number, number, number, number];
  const channels = toBlocked(lowering, images(lowering, lowering.get(dy, channelsFirst), 0, count, batch));
  const split = lowering.reshape(channels, [count / block, block, co / block, height * width, block]);
  const turned = writer.op('Transpose', [split], { perm: [2, 0, 3, 1, 4] });
  return lowering.reshape(turned, [co, count, height, width]);
}

/**
 * The sum over the images from `first` on, `[co, kh, kw, ci]`: input channels in the place of the batch. With one image
 * in the batch ONNX Runtime would divide the sums among its threads, and the bits would depend on how many there are.
 */
function ofLeftover(lowering: Lowering, node: NodeOf<'convFilter'>, first: number): string {
  const { writer } = lowering;
  const [x, dy] = node.inputs;
  const batch = x.shape[0]!;
  const xs = images(lowering, lowering.get(x), first, batch, batch);
  const dys = images(lowering, lowering.get(dy, channelsFirst), first, batch, batch);
  const operands = [
    writer.op('Transpose', [xs], { perm: [3, 0, 1, 2] }),
    writer.op('Transpose', [dys], { perm: [1, 0, 2, 3] }),
  ];
  const [top, left] = node.attrs.pads;
  const sum = writer.op('Conv', operands, {
    kernel_shape: dy.shape.slice(1, 3),
    pads: [top, left, ...trailingPadding(node)],
    dilations: node.attrs.strides,
  });
  return writer.op('Transpose', [sum], { perm: [1, 2, 3, 0] });
}

/** Images `first` to `end` of a batch. */
function images({ writer }: Lowering, name: string, first: number, end: number, batch: number): string {
  if (first === 0 && end === batch) return name;
  return writer.op('Slice', [name, writer.ints([first]), writer.ints([end]), writer.ints([0])]);
}
