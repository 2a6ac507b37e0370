import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { MaskInfo } from '../engine.js';
import { sizeOf } from '../ir/shape.js';
import { tf } from '../model/tfjs/tf.js';
import type { LayerCheck } from './layer-check.js';

/** Layers whose TF.js implementation isn't recorded as is, with their replacements. */

type Layer = LayersModel['layers'][number];
export type Call = (inputs: Tensor | Tensor[], kwargs: Record<string, unknown>) => Tensor | Tensor[];

/** Geometry of a convolution. In TF.js, either strides or dilations may be more than 1, not both. */
export interface Dilated {
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
  readonly dilationRate: [number, number];
}

export type Convolution = (x: Tensor4D, filter: Tensor4D, how: Dilated) => Tensor4D;

/** Replacements of TF.js's operations, for traces or for the eager engine. */
export interface LayerOps {
  /** Dropout mask of one call of a layer. */
  mask(mask: MaskInfo): Tensor;
  /** Dilated convolutions with gradients, which TF.js lacks. */
  readonly dilatedConv2d: Convolution;
  readonly dilatedDepthwise: Convolution;
}

/** Context of calls of layers. */
export interface TraceContext {
  readonly training: boolean;
  /** Masks that the program takes as inputs; appended to by calls of layers. */
  readonly masks: MaskInfo[];
  readonly ops: LayerOps;
  readonly check?: LayerCheck;
}

/** Call to record for a layer: its own or a replacement. */
export function recordedCall(layer: Layer, own: Call, context: TraceContext): Call {
  switch (layer.getClassName()) {
    case 'LayerNormalization':
      return (inputs, kwargs) => own(inputs, fillLayerNorm(layer, only(inputs), kwargs));
    case 'SeparableConv2D':
      return isDilated(layer) || isChannelsFirst(layer)
        ? (inputs) => separableConvolution(layer, only(inputs), context.ops)
        : own;
    case 'GaussianNoise':
      // TF.js draws random numbers even for a deviation of 0.
      return layer.getConfig()['stddev'] === 0 ? (inputs) => only(inputs) : own;
    default:
      return context.training ? inTraining(layer, own, context) : own;
  }
}

function inTraining(layer: Layer, own: Call, context: TraceContext): Call {
  switch (layer.getClassName()) {
    case 'Dropout':
    case 'SpatialDropout1D':
      return (inputs) => dropout(layer as unknown as DropoutLayer, only(inputs), context);
    case 'BatchNormalization':
      return (inputs, kwargs) => own(inputs, fillNorm(layer, kwargs));
    case 'Conv2D':
      return isDilated(layer) ? (inputs) => convolution(layer, only(inputs), context.ops) : own;
    default:
      return own;
  }
}

function only(inputs: Tensor | Tensor[]): Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

/** Used fields of TF.js's dropout layers. */
interface DropoutLayer {
  readonly name: string;
  readonly rate: number;
  /** Shape of the mask, which broadcasts to the input; null: the input's shape. */
  getNoiseShape(input: Tensor): readonly number[] | null | undefined;
}

/** x · mask, where the mask is an input of the program; TF.js's random draw would be a constant of the trace. */
function dropout(layer: DropoutLayer, x: Tensor, { masks, ops }: TraceContext): Tensor {
  const { rate } = layer;
  if (rate === 0) return x;
  const shape = layer.getNoiseShape(x) ?? x.shape;
  const calls = masks.filter(({ name }) => name === layer.name || name.startsWith(`${layer.name}#`)).length;
  const name = calls === 0 ? layer.name : `${layer.name}#${calls + 1}`;
  const mask = { name, shape, size: sizeOf(shape), rate };
  masks.push(mask);
  return tf.mul(x, ops.mask(mask));
}

/** Adds constants to a batch norm without scale or shift, which TF.js reads in training nevertheless. */
function fillNorm(layer: Layer, kwargs: Record<string, unknown>): Record<string, unknown> {
  const norm = layer as unknown as Partial<Record<'gamma' | 'beta', Weight>> & { readonly movingMean: Weight };
  const { shape } = norm.movingMean;
  norm.gamma ??= { shape, read: () => tf.ones([...shape]) };
  norm.beta ??= { shape, read: () => tf.zeros([...shape]) };
  return kwargs;
}

/** Adds constants to a layer norm without scale or shift, which otherwise has no gradient in TF.js. */
function fillLayerNorm(layer: Layer, x: Tensor, kwargs: Record<string, unknown>): Record<string, unknown> {
  const norm = layer as unknown as {
    readonly axis: readonly number[];
    scale: boolean;
    center: boolean;
    gamma?: Weight | null;
    beta?: Weight | null;
  };
  const shape = norm.axis.map((axis) => x.shape[axis]!);
  norm.gamma ??= { shape, read: () => tf.ones(shape) };
  norm.beta ??= { shape, read: () => tf.zeros(shape) };
  [norm.scale, norm.center] = [true, true];
  return kwargs;
}

interface Weight {
  readonly shape: readonly number[];
  read(): Tensor;
}

/** Used fields of TF.js's convolution layers. */
interface ConvolutionLayer extends Dilated {
  readonly dataFormat: 'channelsFirst' | 'channelsLast';
  readonly bias?: { read(): Tensor } | null;
  readonly activation?: { apply(x: Tensor): Tensor } | null;
}

function isDilated(layer: Layer): boolean {
  return (layer as unknown as ConvolutionLayer).dilationRate.some((rate) => rate !== 1);
}

function isChannelsFirst(layer: Layer): boolean {
  return (layer as unknown as ConvolutionLayer).dataFormat === 'channelsFirst';
}

function convolution(layer: Layer, x: Tensor, ops: LayerOps): Tensor {
  const conv = layer as unknown as ConvolutionLayer & { readonly kernel: { read(): Tensor4D } };
  return convolved(conv, x, (images) => ops.dilatedConv2d(images, conv.kernel.read(), conv));
}

function separableConvolution(layer: Layer, x: Tensor, ops: LayerOps): Tensor {
  const conv = layer as unknown as ConvolutionLayer & {
    readonly depthwiseKernel: { read(): Tensor4D };
    readonly pointwiseKernel: { read(): Tensor4D };
  };
  const { strides, padding } = conv;
  const depthwise = (images: Tensor4D, kernel: Tensor4D) =>
    isDilated(layer)
      ? ops.dilatedDepthwise(images, kernel, conv)
      : tf.depthwiseConv2d(images, kernel, strides, padding);
  return convolved(conv, x, (images) =>
    tf.conv2d(depthwise(images, conv.depthwiseKernel.read()), conv.pointwiseKernel.read(), 1, 'valid'),
  );
}

/** Applies a convolution of images `[N, H, W, C]`, then bias and activation, in the layer's data format. */
function convolved(
  { dataFormat, bias, activation }: ConvolutionLayer,
  x: Tensor,
  convolve: (images: Tensor4D) => Tensor,
): Tensor {
  const isFirst = dataFormat === 'channelsFirst';
  const product = convolve((isFirst ? tf.transpose(x, [0, 2, 3, 1]) : x) as Tensor4D);
  const sum = bias ? tf.add(product, bias.read()) : product;
  const y = isFirst ? tf.transpose(sum, [0, 3, 1, 2]) : sum;
  return activation ? activation.apply(y) : y;
}
