import { add as sum, negate, subtract, times } from '../ir/elementwise.js';
import type { Node, NodeOf } from '../ir/node.js';
import { sameShape } from '../ir/shape.js';
import { elementwise } from './elementwise.js';
import { channelsFirst } from './layout.js';
import type { Lowering } from './lowering.js';
import { gemm } from './matmul.js';

/** Addition, fused where it is the last part of something that ONNX has as one operator. */
export function add(lowering: Lowering, node: NodeOf<'add'>): void {
  if (addBias(lowering, node)) return;
  const affine = affineOf(node);
  if (affine && (foldIntoConv(lowering, node, affine) || normalise(lowering, node, affine))) return;
  elementwise(lowering, node, 'Add');
}

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

/** `(x − mean) · scale + offset` per channel, as batch norm ends. */
interface Affine {
  readonly x: Node;
  readonly mean: Node;
  readonly scale: Node;
  readonly offset: Node;
  readonly centred: Node;
  readonly scaled: Node;
}

function affineOf(node: NodeOf<'add'>): Affine | undefined {
  const channels = node.shape.slice(-1);
  if (node.shape.length !== 4) return undefined;
  for (const [scaled, offset] of bothOrders(node)) {
    if (scaled.op !== 'mul' || !sameShape(offset.shape, channels)) continue;
    const [centred, scale] = scaled.inputs;
    if (centred.op !== 'sub' || !sameShape(scale.shape, channels) || centred.size !== node.size) continue;
    const [x, mean] = centred.inputs;
    if (sameShape(mean.shape, channels)) return { x, mean, scale, offset, centred, scaled };
  }
  return undefined;
}

/**
 * Batch norm of a convolution whose statistics do not depend on it (evaluation): filter · scale, and
 * (bias − mean) · scale + offset as the bias.
 */
function foldIntoConv(lowering: Lowering, node: NodeOf<'add'>, affine: Affine): boolean {
  const { x, mean, scale, offset } = affine;
  if (![affine.scaled, affine.centred, x].every((part) => lowering.isFusible(part))) return false;
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

/** x as a convolution plus, maybe, a bias. */
function convolutionIn(lowering: Lowering, x: Node): { conv: NodeOf<'conv'>; bias?: Node } | undefined {
  if (x.op === 'conv') return { conv: x };
  if (x.op !== 'add') return undefined;
  for (const [conv, bias] of bothOrders(x)) {
    if (conv.op === 'conv' && bias.shape.length === 1 && lowering.isFusible(conv)) return { conv, bias };
  }
  return undefined;
}

/** One pass over x instead of three: ONNX's batch norm with variance 1 and ε 0. */
function normalise(lowering: Lowering, node: NodeOf<'add'>, { x, mean, scale, offset, scaled }: Affine): boolean {
  if (!lowering.isFusible(scaled)) return false;
  const { graph, writer } = lowering;
  const one = graph.splat(1, mean.shape);
  const inputs = [lowering.get(x, channelsFirst), ...[scale, offset, mean, one].map((vector) => lowering.get(vector))];
  lowering.define(node, writer.op('BatchNormalization', inputs, { epsilon: { float: 0 } }), channelsFirst);
  return true;
}

function bothOrders({ inputs: [a, b] }: NodeOf<'add'>): readonly (readonly [Node, Node])[] {
  return [
    [a, b],
    [b, a],
  ];
}
