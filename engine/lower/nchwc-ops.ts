import type { Attributes } from '../emit/onnx-writer.js';
import type { Shape } from '../ir/shape.js';
import { channelsFirst, isBlocked, isIdentity, type Layout, permutation, physical } from './layout.js';
import type { Lowering, Rules } from './lowering.js';

/**
 * ONNX Runtime's blocked operators. In blocked form channels come in blocks of `block` that lie side by side in memory:
 * images as `[N, C/block, H, W, block]`, filters as `[co/block, ci/block, kh, kw, block of ci, block of co]`. The shapes
 * that the operators see and declare stay `[N, C, H, W]` and `[co, ci, kh, kw]`; only the order of the numbers differs.
 */
const domain = 'com.microsoft.nchwc';

/** One of the operators. */
export function blockedOp(
  { writer }: Lowering,
  type: string,
  inputs: readonly string[],
  attributes: Attributes,
): string {
  return writer.op(`${domain}.${type}`, inputs, attributes);
}

/** Converts a node's value, images, to or from blocks of channels. */
export function reorder(block: number): NonNullable<Rules['reorder']> {
  return (lowering, node, { name, layout }, target) => {
    const { writer } = lowering;
    const [batch, height, width, channels] = node.shape as [number, number, number, number];
    const pixels = height * width;
    if (isIdentity(target)) {
      const blocks = lowering.reshape(name, [batch, channels / block, pixels, block]);
      const turned = channels === block ? blocks : writer.op('Transpose', [blocks], { perm: [0, 2, 1, 3] });
      return lowering.reshape(turned, node.shape);
    }
    if (!isBlocked(target)) {
      const plain = blockedOp(lowering, 'ReorderOutput', [name], { channels });
      if (target.join() === channelsFirst.join()) return plain;
      return writer.op('Transpose', [plain], { perm: permutation(channelsFirst, target) });
    }
    if (isIdentity(layout)) {
      const blocks = lowering.reshape(name, [batch, pixels, channels / block, block]);
      const turned = channels === block ? blocks : writer.op('Transpose', [blocks], { perm: [0, 2, 1, 3] });
      return lowering.reshape(turned, [batch, channels, height, width]);
    }
    return toBlocked(lowering, lowering.get(node, channelsFirst));
  };
}

/** A tensor `[N, C, H, W]` in blocked form; C is a multiple of the block. */
export function toBlocked(lowering: Lowering, x: string): string {
  return blockedOp(lowering, 'ReorderInput', [x], {});
}

/** A filter as it lies in memory; `shape` is `[kh, kw, ci, co]`. */
export interface PlainFilter {
  readonly name: string;
  readonly layout: Layout;
  readonly shape: Shape;
}

/** A filter in blocked form; where there are fewer input channels than a block, `[co/block, ci, kh, kw, block of co]`. */
export function blockedFilter(lowering: Lowering, { name, layout, shape }: PlainFilter, block: number): string {
  const [kh, kw, ci, co] = shape as [number, number, number, number];
  const few = ci < block;
  // Dimensions 2 and 3, the channels, become blocks of them, and the places in a block dimensions 4 and 5.
  const split = [kh, kw, few ? ci : ci / block, co / block, few ? 1 : block, block];
  const inMemory = layout.flatMap((dimension) => (dimension < 2 ? [dimension] : [dimension, dimension + 2]));
  const perm = permutation(inMemory, few ? [3, 4, 2, 0, 1, 5] : [3, 2, 0, 1, 4, 5]);
  const parts = lowering.reshape(name, physical(split, inMemory));
  return lowering.reshape(lowering.writer.op('Transpose', [parts], { perm }), [co, ci, kh, kw]);
}

/** Attributes and operands of a blocked convolution. */
export interface BlockedConv {
  /** In blocked form; plain where there are fewer channels than a block. */
  readonly x: string;
  /** In blocked form. */
  readonly filter: string;
  readonly bias?: string | undefined;
  /** In blocked form; is added to the result. */
  readonly sum?: string | undefined;
  /** Of the sum; default: none. */
  readonly activation?: 'Relu' | undefined;
  /** Number of groups of channels; default 1. */
  readonly group?: number;
  readonly kernel: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
}

/** Result in blocked form. */
export function blockedConv({ writer }: Lowering, { x, filter, bias, sum, kernel, ...rest }: BlockedConv): string {
  const inputs = [x, filter, bias ?? '', sum ?? ''];
  const given = inputs.slice(0, inputs.findLastIndex((name) => name !== '') + 1);
  return writer.op(`${domain}.Conv`, given, { kernel_shape: kernel, ...rest });
}
