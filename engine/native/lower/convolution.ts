import type { ConvAttrs, Node, NodeOf } from '../../ir/node.js';
import { op, packMode } from '../plan/opcodes.js';
import { type Access, type Arg, type Buffer, single } from '../plan/plan-op.js';
import type { Images, Lowering } from './lowering.js';
import { multipliedDepthwise, multipliedFilter, multipliedInput } from './multiplier.js';
import { chunkGroup, chunkImages, sumItems } from './sums.js';

// Rules of convolutions: with filters `[kh, kw, ci, co]`, and depthwise ones with a multiplier of 1.

/** Most channels of an image that a convolution reads in IR's order, without padding to blocks of 16. */
const narrowChannels = 4;
/** Output pixels of a chain of a filter's gradient. */
const chainPixels = 128;

/** An image's memory for a convolution. */
interface Image {
  readonly buffer: Buffer;
  readonly isNarrow: boolean;
}

function imageOf(lowering: Lowering, x: Node): Image {
  const isNarrow = x.shape[3]! <= narrowChannels && lowering.has(x, 'plain');
  return { buffer: lowering.get(x, isNarrow ? 'plain' : 'blocked'), isNarrow };
}

interface Geometry {
  readonly images: Images;
  readonly x: Image;
  readonly xShape: readonly number[];
  readonly yShape: readonly number[];
  readonly window: readonly [number, number];
  readonly attrs: ConvAttrs;
  /** Distance of neighbours of x in the coordinates that the window moves over; 1 except in input gradients. */
  readonly up?: readonly [number, number];
}

/** Arguments in the order of `enum ConvArg`. */
function geometryArgs({ images, x, xShape, yShape, window, attrs, up = [1, 1] }: Geometry): Arg[] {
  const [, height, width, channels] = xShape as [number, number, number, number];
  const [, outHeight, outWidth, outChannels] = yShape as [number, number, number, number];
  const [top, left] = attrs.pads;
  const rows = Math.max(1, Math.floor(chainPixels / outWidth));
  return [
    { at: x.buffer },
    images.strideOf(x.buffer),
    Number(x.isNarrow),
    ...[channels, height, width, ...up, ...window, top, left, ...attrs.strides, ...attrs.dilations],
    ...[outChannels, outHeight, outWidth, rows],
  ];
}

/** Filter in a kernel's order, rearranged once per program. */
function packed(lowering: Lowering, filter: Node, mode: keyof typeof packMode, taps: number): Buffer {
  const [ci, co] = filter.shape.slice(-2) as [number, number];
  return lowering.memo(`packed${filter.id}:${mode}`, () => {
    const from = lowering.get(filter);
    const to = lowering.buffer(single, packedWords(mode, taps, ci, co));
    const args = [{ at: from }, 0, packMode[mode], taps, ci, co, { at: to }, 0];
    lowering.emit(op.pack, single, args, [{ buffer: from, by: 'item' }], [{ buffer: to, by: 'item' }]);
    return to;
  });
}

function packedWords(mode: keyof typeof packMode, taps: number, ci: number, co: number): number {
  const [rows, columns] = [16 * Math.ceil(ci / 16), 16 * Math.ceil(co / 16)];
  switch (mode) {
    case 'narrow':
      return taps * ci * columns;
    case 'depthwise':
    case 'depthwiseTurned':
      return taps * rows;
    case 'forward':
    case 'turned':
      return taps * rows * columns;
    default:
      return mode satisfies never;
  }
}

/** Convolution and its input gradient, which is one with turned filters. */
interface Convolution extends Geometry {
  readonly node: Node;
  readonly code: number;
  readonly filters: Buffer;
  readonly bias?: Node | undefined;
}

function convolve(lowering: Lowering, { node, code, filters, bias, ...geometry }: Convolution): void {
  const { images, x } = geometry;
  const y = lowering.blockedBuffer(node);
  const offset = bias && lowering.get(bias);
  const whole = (buffer: Buffer): Access => ({ buffer, by: 'whole' });
  const reads: Access[] = [{ buffer: x.buffer, by: images.by }, whole(filters), ...(offset ? [whole(offset)] : [])];
  const args = [
    ...geometryArgs(geometry),
    { at: filters },
    offset ? { at: offset } : -1,
    { at: y },
    images.strideOf(y),
  ];
  lowering.emit(code, images.grid, args, reads, [{ buffer: y, by: images.by }]);
  lowering.define(node, y, 'blocked');
}

/** Geometry of a convolution that isn't a gradient. */
function forward(lowering: Lowering, node: NodeOf<'conv' | 'depthwise'>, x: Image): Geometry {
  const [image, filter] = node.inputs;
  const { window } = windowOf(filter);
  return { images: lowering.imagesOf(node), x, xShape: image.shape, yShape: node.shape, window, attrs: node.attrs };
}

export function conv(lowering: Lowering, node: NodeOf<'conv'>, result: Node = node, bias?: Node): void {
  const [image, filter] = node.inputs;
  const x = imageOf(lowering, image);
  const filters = packed(lowering, filter, x.isNarrow ? 'narrow' : 'forward', windowOf(filter).taps);
  convolve(lowering, { node: result, code: op.conv, filters, bias, ...forward(lowering, node, x) });
}

export function depthwise(lowering: Lowering, node: NodeOf<'depthwise'>): void {
  const [image, filter] = node.inputs;
  if (filter.shape[3] !== 1) return multipliedDepthwise(lowering, node);
  const x = { buffer: lowering.get(image, 'blocked'), isNarrow: false };
  const filters = packed(lowering, filter, 'depthwise', windowOf(filter).taps);
  convolve(lowering, { node, code: op.depthwise, filters, ...forward(lowering, node, x) });
}

export function convInput(lowering: Lowering, node: NodeOf<'convInput'>): void {
  inputGradient(lowering, node, op.conv, 'turned');
}

export function depthwiseInput(lowering: Lowering, node: NodeOf<'depthwiseInput'>): void {
  if (node.inputs[1].shape[3] !== 1) return multipliedInput(lowering, node);
  inputGradient(lowering, node, op.depthwise, 'depthwiseTurned');
}

function inputGradient(
  lowering: Lowering,
  node: NodeOf<'convInput' | 'depthwiseInput'>,
  code: number,
  mode: 'turned' | 'depthwiseTurned',
): void {
  const [dy, filter] = node.inputs;
  const { window, taps } = windowOf(filter);
  const { pads, strides, dilations } = node.attrs;
  const border = (i: 0 | 1) => dilations[i] * (window[i] - 1) - pads[i];
  const attrs: ConvAttrs = { pads: [border(0), border(1), 0, 0], strides: [1, 1], dilations };
  const x = { buffer: lowering.get(dy, 'blocked'), isNarrow: false };
  const filters = packed(lowering, filter, mode, taps);
  const images = lowering.imagesOf(node);
  convolve(lowering, {
    node,
    code,
    filters,
    images,
    x,
    xShape: dy.shape,
    yShape: node.shape,
    window,
    attrs,
    up: strides,
  });
}

export function convFilter(lowering: Lowering, node: NodeOf<'convFilter'>): void {
  const [image] = node.inputs;
  const x = imageOf(lowering, image);
  filterGradient(lowering, node, op.convFilter, x, x.isNarrow ? 'narrow' : 'forward');
}

export function depthwiseFilter(lowering: Lowering, node: NodeOf<'depthwiseFilter'>): void {
  if (node.shape[3] !== 1) return multipliedFilter(lowering, node);
  const x = { buffer: lowering.get(node.inputs[0], 'blocked'), isNarrow: false };
  filterGradient(lowering, node, op.depthwiseFilter, x, 'depthwise');
}

/** Sums over the pixels of chunks of images, then over chunks, then back to IR's order. */
function filterGradient(
  lowering: Lowering,
  node: NodeOf<'convFilter' | 'depthwiseFilter'>,
  code: number,
  x: Image,
  mode: 'forward' | 'narrow' | 'depthwise',
): void {
  const [image, dyNode] = node.inputs;
  const { window, taps } = windowOf(node);
  const [ci, co] = node.shape.slice(2) as [number, number];
  const size = packedWords(mode, taps, ci, co);
  const images = lowering.imagesOf(dyNode);
  const chunks = Math.ceil(dyNode.shape[0]! / chunkImages);
  const parts = lowering.buffer(single, chunks * size);
  const dy = lowering.get(dyNode, 'blocked');
  const geometry = { images, x, xShape: image.shape, yShape: dyNode.shape, window, attrs: node.attrs };
  const args = [...geometryArgs(geometry), { at: dy }, images.strideOf(dy), { at: parts }, size];
  const reads = [x.buffer, dy].map((buffer) => ({ buffer, by: images.by }));
  lowering.emit(code, images.grid, args, reads, [{ buffer: parts, by: 'whole' }]);
  const sum = lowering.buffer(single, size);
  sumItems(lowering, { from: parts, entries: chunks, stride: size, outputs: size, group: chunkGroup, to: sum });
  const result = lowering.plainBuffer(node);
  const unpack = [{ at: sum }, 0, packMode[mode], taps, ci, co, { at: result }, 0];
  lowering.emit(op.unpack, single, unpack, [{ buffer: sum, by: 'item' }], [{ buffer: result, by: 'item' }]);
  lowering.define(node, result);
}

function windowOf(filter: Node): { readonly window: readonly [number, number]; readonly taps: number } {
  const [kh, kw] = filter.shape as [number, number];
  return { window: [kh, kw], taps: kh * kw };
}
