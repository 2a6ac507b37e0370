import { add as sum, negate, subtract, times } from '../ir/elementwise.js';
import type { Node, NodeOf } from '../ir/node.js';
import { sameShape } from '../ir/shape.js';
import { elementwise } from './elementwise.js';
import { channelsFirst } from './layout.js';
import type { Lowering, Rule } from './lowering.js';
import { gemm } from './matmul.js';

/** Addition; fused if ONNX Runtime has the whole expression as one operator. */
export const addition: Rule<'add'> = (lowering, node) => {
  if (addBias(lowering, node)) return;
  const affine = affineOf(lowering, node);
  if (!affine) return elementwise(lowering, node, 'Add');
  if (!foldIntoConv(lowering, node, affine)) batchNormalization(lowering, node, affine);
};

/** Matrix product or convolution plus a bias per column or channel. */
function addBias(lowering: Lowering, node: NodeOf<'add'>): boolean {
  for (const [product, bias] of bothOrders(node)) {
    if (!sameShape(bias.shape, node.shape.slice(-1)) || !sameShape(product.shape, node.shape)) continue;
    if (!lowering.isFusible(product)) continue;
    if (product.op === 'conv') {
      lowering.options.rules.conv(lowering, product, node, bias);
      return true;
    }
    if (product.op === 'matmul' && product.inputs.every((x) => x.shape.length === 2)) {
      gemm(lowering, product, node, bias);
      return true;
    }
  }
  return false;
}

/** `rest + (x − mean) · scale + offset` with per-channel vectors: the last operations of batch norm and its gradient. */
interface Affine {
  readonly x: Node;
  readonly mean?: Node | undefined;
  readonly scale: Node;
  readonly offset: Node;
  readonly rest?: Node | undefined;
}

function affineOf(lowering: Lowering, node: NodeOf<'add'>): Affine | undefined {
  if (node.shape.length !== 4) return undefined;
  for (const [sum, offset] of bothOrders(node)) {
    if (!isVector(offset, node) || !lowering.isFusible(sum)) continue;
    const alone = scaledOf(lowering, sum);
    if (alone) return { ...alone, offset };
    if (sum.op !== 'add') continue;
    for (const [scaled, rest] of bothOrders(sum)) {
      const found = lowering.isFusible(scaled) && scaledOf(lowering, scaled);
      if (found && found.x.op !== 'maxPoolGrad' && sameShape(rest.shape, node.shape)) return { ...found, offset, rest };
    }
  }
  return undefined;
}

/** x · scale, or (x − mean) · scale if nothing else needs the difference. */
function scaledOf(lowering: Lowering, node: Node): Omit<Affine, 'offset'> | undefined {
  if (node.op !== 'mul') return undefined;
  const [x, scale] = node.inputs;
  if (!sameShape(x.shape, node.shape) || !isVector(scale, node)) return undefined;
  if (x.op !== 'sub' || !isVector(x.inputs[1], node) || !lowering.isFusible(x)) return { x, scale };
  return { x: x.inputs[0], mean: x.inputs[1], scale };
}

function isVector(v: Node, { shape }: Node): boolean {
  return sameShape(v.shape, shape.slice(-1));
}

/**
 * Folds an evaluation batch norm into the convolution before it: filter · scale, and (bias − mean) · scale + offset as the
 * bias.
 */
function foldIntoConv(lowering: Lowering, node: NodeOf<'add'>, affine: Affine): boolean {
  const { x, mean, scale, offset, rest } = affine;
  if (!mean || rest || !lowering.isFusible(x)) return false;
  const found = convolutionIn(lowering, x);
  if (!found) return false;
  const { graph } = lowering;
  const shift = found.bias ? subtract(graph, found.bias, mean) : negate(graph, mean);
  const bias = sum(graph, times(graph, shift, scale), offset);
  const [image, filter] = found.conv.inputs;
  const inputs = [image, times(graph, filter, scale)] as const;
  const folded = graph.make('conv', inputs, found.conv.attrs, found.conv.shape, 'float32');
  lowering.options.rules.conv(lowering, folded, node, bias);
  return true;
}

/** x as a convolution with optional bias. */
function convolutionIn(lowering: Lowering, x: Node): { conv: NodeOf<'conv'>; bias?: Node } | undefined {
  if (x.op === 'conv') return { conv: x };
  if (x.op !== 'add') return undefined;
  for (const [conv, bias] of bothOrders(x)) {
    if (conv.op === 'conv' && bias.shape.length === 1 && lowering.isFusible(conv)) return { conv, bias };
  }
  return undefined;
}

/** ONNX's batch norm with variance 1 and ε 0, which takes one pass over x. */
function batchNormalization(lowering: Lowering, node: Node, affine: Affine): void {
  const { x, mean, scale, offset, rest } = affine;
  const { graph, writer } = lowering;
  const vectors = [scale, offset, mean ?? graph.splat(0, scale.shape), graph.splat(1, scale.shape)];
  const inputs = [lowering.get(x, channelsFirst), ...vectors.map((vector) => lowering.get(vector))];
  const result = writer.op('BatchNormalization', inputs, { epsilon: { float: 0 } });
  const sum = rest ? writer.op('Add', [lowering.get(rest, channelsFirst), result]) : result;
  lowering.define(node, sum, channelsFirst);
}

function bothOrders({ inputs: [a, b] }: NodeOf<'add'>): readonly (readonly [Node, Node])[] {
  return [
    [a, b],
    [b, a],
  ];
}
