import type { Node, NodeOf, PoolAttrs } from '../../ir/node.js';
import { op } from '../plan/opcodes.js';
import type { Arg, Buffer } from '../plan/plan-op.js';
import { blockedShape } from './blocks.js';
import type { Images, Lowering } from './lowering.js';

/** Arguments of `enum PoolArg` after the image's. */
function geometryArgs(x: readonly number[], y: readonly number[], { window, pads, strides }: PoolAttrs): number[] {
  const { blocks, height, width } = blockedShape(x);
  return [blocks, height, width, ...window, pads[0], pads[1], ...strides, y[1]!, y[2]!];
}

function place(images: Images, buffer: Buffer): Arg[] {
  return [{ at: buffer }, images.strideOf(buffer)];
}

/** Emits a pooling operation: the input first, or none, then other operands, then the result. */
function pool(
  lowering: Lowering,
  node: Node,
  code: number,
  operands: readonly Node[],
  geometry: readonly number[],
): void {
  const images = lowering.imagesOf(node);
  const result = lowering.blockedBuffer(node);
  const [first, ...others] = operands.map((operand) => lowering.get(operand, 'blocked'));
  const isGradient = code === op.avgPoolGrad;
  const rest = isGradient ? [first!, ...others] : others;
  const args = [
    ...(isGradient ? [-1, 0] : place(images, first!)),
    ...geometry,
    ...rest.flatMap((buffer) => place(images, buffer)),
    ...place(images, result),
  ];
  const reads = [first!, ...others].map((buffer) => ({ buffer, by: images.by }));
  lowering.emit(code, images.grid, args, reads, [{ buffer: result, by: images.by }]);
  lowering.define(node, result, 'blocked');
}

export function maxPool(lowering: Lowering, node: NodeOf<'maxPool'>): void {
  const [x] = node.inputs;
  pool(lowering, node, op.maxPool, [x], geometryArgs(x.shape, node.shape, node.attrs));
}

export function avgPool(lowering: Lowering, node: NodeOf<'avgPool'>): void {
  const [x] = node.inputs;
  pool(lowering, node, op.avgPool, [x], geometryArgs(x.shape, node.shape, node.attrs));
}

export function maxPoolGrad(lowering: Lowering, node: NodeOf<'maxPoolGrad'>): void {
  const [dy, x, y] = node.inputs;
  pool(lowering, node, op.maxPoolGrad, [x, dy, y], geometryArgs(x.shape, y.shape, node.attrs));
}

export function avgPoolGrad(lowering: Lowering, node: NodeOf<'avgPoolGrad'>): void {
  const [dy] = node.inputs;
  pool(lowering, node, op.avgPoolGrad, [dy], geometryArgs(node.shape, dy.shape, node.attrs));
}
