import type { Node, NodeOf } from '../ir/node.js';
import { trailingPadding } from './conv-filter.js';
import { channelBlocks } from './layout.js';
import type { Lowering, Rule } from './lowering.js';
import { blockedConv, blockedOp, toBlocked } from './nchwc-ops.js';
import { portable } from './portable.js';

/**
 * The gradient of a convolution by its filter, as in `convFilter`: images in the place of channels, width and input
 * channel merged into one axis. Channels come in blocks, so images must too: those that fill whole blocks are one
 * direct convolution; the few that are left over are cut into strips until they fill one, and are another.
 */
export function filterGradient(block: number): Rule<'convFilter'> {
  return (lowering, node) => {
    const [kh, kw, ci, co] = node.shape as [number, number, number, number];
    const parts = partsOf(node, block);
    const used = parts.reduce((sum, { images }) => sum + images, 0);
    const isDense = node.attrs.dilations.every((rate) => rate === 1);
    const fits = isDense && co % block === 0 && Math.min(...trailingPadding(node)) >= 0;
    if (!fits || used > 2 * node.inputs[0].shape[0]!) return portable.convFilter(lowering, node);
    const sum = parts.reduceRight<string | undefined>(
      (rest, part) => sumOver(lowering, node, part, block, rest),
      undefined,
    );
    const plain = blockedOp(lowering, 'ReorderOutput', [sum!], { channels: co });
    lowering.define(node, lowering.reshape(plain, [co, kh, kw, ci]), [3, 0, 1, 2]);
  };
}

/** Some of a batch's images, in the form in which they are convolved. */
interface Part {
  readonly first: number;
  readonly end: number;
  /** Number of images, with those of zeros that are added; images · strips is a multiple of the block. */
  readonly images: number;
  /** Horizontal strips of dy into which each image is cut; each takes the place of a channel. */
  readonly strips: number;
}

function partsOf({ inputs: [x, dy] }: NodeOf<'convFilter'>, block: number): Part[] {
  const batch = x.shape[0]!;
  const rest = batch % block;
  const whole = batch - rest;
  const parts: Part[] = whole > 0 ? [{ first: 0, end: whole, images: whole, strips: 1 }] : [];
  if (rest > 0) parts.push({ first: whole, end: batch, ...inStrips(rest, dy.shape[1]!, block) });
  return parts;
}

/** The least number of strips with which the fewest images of zeros are needed. */
function inStrips(count: number, rows: number, block: number): { images: number; strips: number } {
  const choices = [1, 2, 4, 8, 16, 32]
    .filter((strips) => block % strips === 0 && rows % strips === 0)
    .map((strips) => ({ strips, images: Math.ceil((count * strips) / block) * (block / strips) }));
  return choices.reduce((best, choice) => (choice.images < best.images ? choice : best));
}

/** The gradient's sum over a part, plus that over the rest: `[1, co, kh, kw·ci]` in blocked form. */
function sumOver(lowering: Lowering, node: NodeOf<'convFilter'>, part: Part, block: number, rest?: string): string {
  const [, dy] = node.inputs;
  const [, height, width] = dy.shape as [number, number, number, number];
  const [sh, sw] = node.attrs.strides;
  return blockedConv(lowering, {
    x: toBlocked(lowering, imageStrips(lowering, node, part)),
    filter: gradientStrips(lowering, dy, part, block),
    kernel: [height / part.strips, width],
    pads: [0, 0, 0, 0],
    strides: [1, 1],
    dilations: [sh, sw * node.shape[2]!],
    sum: rest,
  });
}

/** The rows of x, padded, that each strip of dy meets: `[1, images · strips, rows, width · ci]`. Strips overlap. */
function imageStrips(lowering: Lowering, node: NodeOf<'convFilter'>, part: Part): string {
  const { writer } = lowering;
  const { images, strips } = part;
  const [x, dy] = node.inputs;
  const [, height, width, ci] = x.shape as [number, number, number, number];
  const [top, left] = node.attrs.pads;
  const [bottom, right] = trailingPadding(node);
  const pads = writer.ints([0, top, left, 0, added(part), bottom, right, 0]);
  const padded = writer.op('Pad', [imagesOf(lowering, x, lowering.get(x), part), pads]);
  const columns = (left + width + right) * ci;
  const rows = lowering.reshape(padded, [images, top + height + bottom, columns]);
  const step = (dy.shape[1]! / strips) * node.attrs.strides[0];
  const stripRows = step - node.attrs.strides[0] + node.shape[0]!;
  const numbers = Array.from(
    { length: strips * stripRows },
    (_, i) => Math.floor(i / stripRows) * step + (i % stripRows),
  );
  const joined = strips === 1 ? rows : writer.op('Gather', [rows, writer.ints(numbers)], { axis: 1 });
  return lowering.reshape(joined, [1, images * strips, stripRows, columns]);
}

/**
 * dy as a blocked filter `[co, images · strips, rows, Wo]`. Its channels are blocked as those of images first; what is
 * left to do then moves whole blocks.
 */
function gradientStrips(lowering: Lowering, dy: Node, part: Part, block: number): string {
  const { writer } = lowering;
  const { images, strips } = part;
  const [, height, width, co] = dy.shape as [number, number, number, number];
  const blocked = lowering.get(dy, channelBlocks);
  const given = imagesOf(lowering, dy, blocked, part);
  const pads = writer.ints([0, 0, 0, 0, added(part), 0, 0, 0]);
  const filled = added(part) > 0 ? writer.op('Pad', [given, pads]) : given;
  const perBlock = block / strips;
  const pixels = (height / strips) * width;
  const shape = [images / perBlock, perBlock, co / block, strips, pixels, block];
  const split = lowering.reshape(filled, shape);
  const turned = writer.op('Transpose', [split], { perm: [2, 0, 4, 1, 3, 5] });
  return lowering.reshape(turned, [co, images * strips, height / strips, width]);
}

/** Number of images of zeros that complete a part. */
function added({ images, first, end }: Part): number {
  return images - (end - first);
}

/** A part of the batch `name`, the value of `node`. */
function imagesOf({ writer }: Lowering, node: Node, name: string, { first, end }: Part): string {
  if (end - first === node.shape[0]) return name;
  return writer.op('Slice', [name, writer.ints([first]), writer.ints([end]), writer.ints([0])]);
}
