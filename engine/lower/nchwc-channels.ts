import type { Node } from '../ir/node.js';
import { sameShape, type Shape } from '../ir/shape.js';
import { type Affine, affineOf, batchNormalization } from './add.js';
import { scaleBeforeSpreading } from './elementwise.js';
import { channelBlocks, isBlocked } from './layout.js';
import type { Lowering, Rule } from './lowering.js';
import { blockedConv } from './nchwc-ops.js';
import { portable } from './portable.js';

/** Rules for blocked images and vectors with one number per channel. */

/** `rest + x · scale + offset`: a 1×1 convolution of each channel with itself, which adds the rest in the same pass. */
export function channelAffine(lowering: Lowering, node: Node, affine: Affine): void {
  const { x, mean, scale, offset, rest, relu } = affine;
  if (mean || !isBlocked(lowering.layoutOf(x))) return batchNormalization(lowering, node, affine);
  const channels = scale.size;
  const y = blockedConv(lowering, {
    x: lowering.get(x, channelBlocks),
    filter: lowering.reshape(lowering.get(scale), [channels, 1, 1, 1]),
    bias: lowering.get(offset),
    sum: rest && lowering.get(rest, channelBlocks),
    activation: relu ? 'Relu' : undefined,
    group: channels,
    kernel: [1, 1],
    pads: [0, 0, 0, 0],
    strides: [1, 1],
    dilations: [1, 1],
  });
  lowering.define(node, y, channelBlocks);
}

/** ReLU of such a function, in the same pass. */
export const relu: Rule<'relu'> = (lowering, node) => {
  const [x] = node.inputs;
  const affine = x.op === 'add' && lowering.isFusible(x) ? affineOf(lowering, x) : undefined;
  if (!affine || affine.mean || !isBlocked(lowering.layoutOf(affine.x))) return portable.relu(lowering, node);
  channelAffine(lowering, node, { ...affine, relu: true });
};

/** x · v with v of one number per channel. */
export function timesChannels(block: number): Rule<'mul'> {
  const product = withChannels('mul', 'Mul', block);
  return (lowering, node) => {
    if (!scaleBeforeSpreading(lowering, node)) product(lowering, node);
  };
}

/** x − v or x · v with v of one number per channel: the vector is repeated along a row, so that whole rows are combined. */
export function withChannels<O extends 'mul' | 'sub'>(op: O, opType: string, block: number): Rule<O> {
  return (lowering, node) => {
    const { writer } = lowering;
    const [x, v] = node.inputs as readonly [Node, Node];
    if (!isImages(x, node) || !sameShape(v.shape, node.shape.slice(-1)) || !isBlocked(lowering.layoutOf(x))) {
      return (portable[op] as Rule<O>)(lowering, node);
    }
    const [batch, height, width, channels] = node.shape as [number, number, number, number];
    const rows = lowering.reshape(lowering.get(x, channelBlocks), [batch, channels / block, height, width * block]);
    const row = lowering.memo(`row${v.id},${width}`, () => {
      const blocks = lowering.reshape(lowering.get(v), [channels / block, 1, block]);
      return writer.op('Tile', [blocks, writer.ints([1, 1, width])]);
    });
    const result = lowering.reshape(writer.op(opType, [rows, row]), [batch, channels, height, width]);
    lowering.define(node as Node, result, channelBlocks);
  };
}

/** Sums over batch, rows and columns, from averages of each image's channels. */
export const channelSums: Rule<'sum'> = (lowering, node) => {
  const { writer } = lowering;
  const [x] = node.inputs;
  if (!isImages(x) || node.attrs.axes.join() !== '0,1,2' || !isBlocked(lowering.layoutOf(x))) {
    return portable.sum(lowering, node);
  }
  const averages = writer.op('com.microsoft.nchwc.GlobalAveragePool', [lowering.get(x, channelBlocks)]);
  const sums = writer.op('ReduceSum', [averages, writer.ints([0, 2, 3])], { keepdims: 0 });
  lowering.define(node, writer.op('Mul', [sums, writer.float(x.shape[1]! * x.shape[2]!)]));
};

function isImages(x: Node, like?: { readonly shape: Shape }): boolean {
  return x.shape.length === 4 && (!like || sameShape(x.shape, like.shape));
}
