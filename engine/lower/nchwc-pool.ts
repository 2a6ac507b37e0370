import type { NodeOf } from '../ir/node.js';
import { channelBlocks, isBlocked } from './layout.js';
import type { Lowering, Rule } from './lowering.js';
import { blockedOp } from './nchwc-ops.js';
import { codes, maskOf, poolAttributes, tiles } from './pool.js';
import { portable } from './portable.js';

/** Max pooling of blocked images; others are pooled portably. */

export const maxPool: Rule<'maxPool'> = (lowering, node) => {
  const [x] = node.inputs;
  if (!isBlocked(lowering.layoutOf(x))) return portable.maxPool(lowering, node);
  const y = blockedOp(lowering, 'MaxPool', [lowering.get(x, channelBlocks)], poolAttributes(node.attrs));
  lowering.define(node, y, channelBlocks);
};

/** As in `maskedGradient`, of which this is the blocked form. */
export function maxPoolGrad(block: number): Rule<'maxPoolGrad'> {
  return (lowering, node) => {
    const { writer } = lowering;
    const [dy, x, y] = node.inputs;
    const { window } = node.attrs;
    if (!tiles(node.attrs, node.shape) || !isBlocked(lowering.layoutOf(x))) {
      return portable.maxPoolGrad(lowering, node);
    }
    const repeat = (name: string) => blockedOp(lowering, 'Upsample', [name], { scales: [1, 1, ...window] });
    const maxima = maskOf(lowering, lowering.get(x, channelBlocks), repeat(lowering.get(y, channelBlocks)));
    const coded = timesCodes(lowering, node, maxima, block);
    const largest = blockedOp(lowering, 'MaxPool', [coded], { kernel_shape: window, strides: window });
    const first = maskOf(lowering, coded, repeat(largest));
    const spread = repeat(lowering.get(dy, channelBlocks));
    lowering.define(node, writer.op('Mul', [first, spread]), channelBlocks);
  };
}

/** Blocked images times their places' codes. */
function timesCodes(lowering: Lowering, node: NodeOf<'maxPoolGrad'>, maxima: string, block: number): string {
  const [batch, height, width, channels] = node.shape as [number, number, number, number];
  const rows = lowering.reshape(maxima, [batch, channels / block, height, width * block]);
  const coded = lowering.writer.op('Mul', [rows, codes(lowering, node.shape, node.attrs.window, block)]);
  return lowering.reshape(coded, [batch, channels, height, width]);
}
