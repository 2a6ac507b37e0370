import type {
  BatchMatMulAttrs,
  Conv2DAttrs,
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  DepthwiseConv2dNativeAttrs,
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  FusedConv2DAttrs,
  _FusedMatMulAttrs,
} from '@tensorflow/tfjs-core';
import { add, binary, leakyRelu, unary } from '../../ir/elementwise.js';
import type { Graph } from '../../ir/graph.js';
import { matmul } from '../../ir/linear.js';
import type { ConvAttrs, Node } from '../../ir/node.js';
import type { Shape } from '../../ir/shape.js';
import { tf } from '../../model/tfjs/tf.js';
import { type Kernel, type KernelCall, type KernelTable, Unsupported } from '../kernel.js';

export const linear: KernelTable = {
  BatchMatMul: (call) => {
    const { transposeA, transposeB } = call.attrs<BatchMatMulAttrs>();
    return matmul(call.graph, call.input('a'), call.input('b'), { transposeA, transposeB });
  },
  _FusedMatMul: (call) => {
    const { transposeA, transposeB, activation, leakyreluAlpha } = call.attrs<_FusedMatMulAttrs>();
    const options = { transposeA, transposeB, bias: call.optional('bias') };
    const result = matmul(call.graph, call.input('a'), call.input('b'), options);
    return activate(call.graph, result, activation, leakyreluAlpha);
  },
  Conv2D: convolution('conv'),
  FusedConv2D: convolution('conv'),
  Conv2DBackpropFilter: (call) => {
    const attrs = call.attrs<Conv2DBackpropFilterAttrs>();
    return filterGradient(call, 'convFilter', attrs, attrs.filterShape);
  },
  Conv2DBackpropInput: (call) => {
    const attrs = call.attrs<Conv2DBackpropInputAttrs>();
    return inputGradient(call, 'convInput', attrs, attrs.inputShape);
  },
  DepthwiseConv2dNative: convolution('depthwise'),
  FusedDepthwiseConv2D: convolution('depthwise'),
  DepthwiseConv2dNativeBackpropFilter: (call) => {
    const attrs = call.attrs<DepthwiseConv2dNativeBackpropFilterAttrs>();
    return filterGradient(call, 'depthwiseFilter', attrs, attrs.filterShape);
  },
  DepthwiseConv2dNativeBackpropInput: (call) => {
    const attrs = call.attrs<DepthwiseConv2dNativeBackpropInputAttrs>();
    return inputGradient(call, 'depthwiseInput', attrs, attrs.inputShape);
  },
};

interface Geometry {
  readonly attrs: ConvAttrs;
  readonly outShape: Shape;
}

/** Attributes of all convolution kernels. */
interface RawConvAttrs {
  strides: [number, number] | number;
  pad: Conv2DAttrs['pad'];
  dilations?: [number, number] | number | undefined;
  dimRoundingMode?: Conv2DAttrs['dimRoundingMode'] | undefined;
  dataFormat?: 'NHWC' | 'NCHW' | undefined;
}

export function geometry(x: Shape, filter: Shape, raw: RawConvAttrs, depthwise: boolean): Geometry {
  if (raw.dataFormat === 'NCHW') throw new Unsupported('data format NCHW (channels_first)');
  const info = tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    raw.strides,
    raw.dilations ?? 1,
    raw.pad,
    raw.dimRoundingMode,
    depthwise,
  );
  const { top, left, bottom, right } = info.padInfo;
  return {
    attrs: {
      pads: [top, left, bottom, right],
      strides: [info.strideHeight, info.strideWidth],
      dilations: [info.dilationHeight, info.dilationWidth],
    },
    outShape: info.outShape,
  };
}

function convolution(op: 'conv' | 'depthwise'): Kernel {
  return (call) => {
    const attrs = call.attrs<FusedConv2DAttrs & DepthwiseConv2dNativeAttrs>();
    const [x, filter] = [call.input('x'), call.input('filter')];
    const info = geometry(x.shape, filter.shape, attrs, op === 'depthwise');
    const result = call.graph.make(op, [x, filter], info.attrs, info.outShape, 'float32') as Node;
    const bias = call.optional('bias');
    const sum = bias ? add(call.graph, result, bias) : result;
    return activate(call.graph, sum, attrs.activation, attrs.leakyreluAlpha);
  };
}

function filterGradient(call: KernelCall, op: 'convFilter' | 'depthwiseFilter', raw: RawConvAttrs, shape: Shape): Node {
  const [x, dy] = [call.input('x'), call.input('dy')];
  const { attrs } = geometry(x.shape, shape, raw, op === 'depthwiseFilter');
  return call.graph.make(op, [x, dy], attrs, shape, 'float32');
}

function inputGradient(call: KernelCall, op: 'convInput' | 'depthwiseInput', raw: RawConvAttrs, shape: Shape): Node {
  const [dy, filter] = [call.input('dy'), call.input('filter')];
  const { attrs } = geometry(shape, filter.shape, raw, op === 'depthwiseInput');
  return call.graph.make(op, [dy, filter], attrs, shape, 'float32');
}

/** The activation of a fused kernel. */
function activate(graph: Graph, x: Node, activation: string | undefined, alpha = 0.2): Node {
  switch (activation) {
    case undefined:
    case null:
    case 'linear':
      return x;
    case 'relu':
    case 'elu':
    case 'sigmoid':
      return unary(graph, activation, x);
    case 'relu6':
      return binary(graph, 'minimum', unary(graph, 'relu', x), graph.splat(6, []));
    case 'leakyrelu':
      return leakyRelu(graph, x, alpha);
    default:
      throw new Unsupported(`activation ${activation}`);
  }
}
