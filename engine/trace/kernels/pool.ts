import type { AvgPoolAttrs, FusedBatchNormAttrs } from '@tensorflow/tfjs-core';
import { add, subtract, times, unary } from '../../ir/elementwise.js';
import { maxPool, maxPoolGrad } from '../../ir/pool.js';
import type { Node, PoolAttrs } from '../../ir/node.js';
import type { Shape } from '../../ir/shape.js';
import { tf } from '../../model/tfjs/tf.js';
import type { KernelCall, KernelTable } from '../kernel.js';

export const pooling: KernelTable = {
  AvgPool: (call) => {
    const x = call.input('x');
    const { attrs, outShape } = geometry(call, x.shape);
    return call.graph.make('avgPool', [x], attrs, outShape, x.dtype);
  },
  AvgPoolGrad: (call) => {
    const { shape } = call.input('input');
    return call.graph.make('avgPoolGrad', [call.input('dy')], geometry(call, shape).attrs, shape, 'float32');
  },
  FusedBatchNorm: batchNorm,
  MaxPool: (call) => {
    const x = call.input('x');
    const { attrs, outShape } = geometry(call, x.shape);
    return maxPool(call.graph, x, attrs, outShape);
  },
  MaxPoolGrad: (call) => {
    const x = call.input('input');
    return maxPoolGrad(call.graph, call.input('dy'), x, geometry(call, x.shape).attrs);
  },
};

function geometry(call: KernelCall, x: Shape): { attrs: PoolAttrs; outShape: Shape } {
  const { filterSize, strides, pad, dimRoundingMode } = call.attrs<AvgPoolAttrs>();
  const shape = x as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const { top, left, bottom, right } = info.padInfo;
  const attrs: PoolAttrs = {
    window: [info.filterHeight, info.filterWidth],
    pads: [top, left, bottom, right],
    strides: [info.strideHeight, info.strideWidth],
  };
  return { attrs, outShape: info.outShape };
}

/** (x − mean) · scale / √(variance + ε) + offset, from elementary operations. */
function batchNorm(call: KernelCall): Node {
  const { graph } = call;
  const { varianceEpsilon } = call.attrs<FusedBatchNormAttrs>();
  const epsilon = graph.splat(Math.fround(varianceEpsilon), []);
  const inverse = unary(graph, 'rsqrt', add(graph, call.input('variance'), epsilon));
  const [scale, offset] = [call.optional('scale'), call.optional('offset')];
  const factor = scale ? times(graph, inverse, scale) : inverse;
  const result = times(graph, subtract(graph, call.input('x'), call.input('mean')), factor);
  return offset ? add(graph, result, offset) : result;
}
