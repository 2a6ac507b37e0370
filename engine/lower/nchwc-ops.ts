import type { Lowering } from './lowering.js';

/**
 * ONNX Runtime's blocked operators. In blocked form channels come in blocks of `block` that lie side by side in memory:
 * images as `[N, C/block, H, W, block]`, filters as `[co/block, ci/block, kh, kw, block of ci, block of co]`. The shapes
 * that the operators see and declare stay `[N, C, H, W]` and `[co, ci, kh, kw]`; only the order of the numbers differs.
 */
const domain = 'com.microsoft.nchwc';

/** Images `[N, C, H, W]` in blocked form; C is a multiple of the block. */
export function toBlocked(lowering: Lowering, x: string): string {
  return lowering.memo(`blocked ${x}`, () => lowering.writer.op(`${domain}.ReorderInput`, [x]));
}

/** The reverse of `toBlocked`. */
export function fromBlocked({ writer }: Lowering, x: string, channels: number): string {
  return writer.op(`${domain}.ReorderOutput`, [x], { channels });
}

/** Attributes and operands of a blocked convolution. */
export interface BlockedConv {
  /** In blocked form; plain where there are fewer channels than a block. */
  readonly x: string;
  /** In blocked form. */
  readonly filter: string;
  readonly bias?: string | undefined;
  readonly kernel: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
}

/** Result in blocked form. */
export function blockedConv({ writer }: Lowering, { x, filter, bias, kernel, ...rest }: BlockedConv): string {
  const inputs = bias === undefined ? [x, filter] : [x, filter, bias];
  return writer.op(`${domain}.Conv`, inputs, { kernel_shape: kernel, ...rest });
}
