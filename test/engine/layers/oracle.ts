import type { Scalar, Tensor, Tensor1D, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { MaskInfo, ModelTopology, ProgramInput, TrainResult } from '../../../engine/engine.js';
import { layoutOf, loadBlankModel, loadTrainingModel } from '../../../engine/model/model.js';
import { tf } from '../../../engine/model/tfjs/tf.js';

/** The reference for a program: the same model under TF.js's own `cpu` backend. */

export const normalise = { mean: [0.5, 0.4], deviation: [0.2, 0.3] };
type Layer = LayersModel['layers'][number];

export interface OracleJob {
  readonly topology: ModelTopology;
  readonly imageShape: readonly [number, number, number];
  readonly input: ProgramInput;
  /** The masks of `input.masks`, by layer. */
  readonly masks: readonly MaskInfo[];
  /** Share of each expected distribution that is spread evenly over the classes. Default: 0. */
  readonly labelSmoothing?: number;
}

/** Gradient of the summed cross-entropy, loss sum, correct answers and batch statistics. */
export async function trainOnCpu(job: OracleJob): Promise<TrainResult> {
  const { topology, input } = job;
  const model = await loadTrainingModel(topology);
  setVectors(model, topology, { ...input, state: new Float32Array(layoutOf(model, topology).stateCount) });
  for (const layer of layersIn(model)) repair(layer, job);
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
  let correct = 0;
  const loss = (): Scalar => {
    const logits = model.apply(imagesOf(job), { training: true }) as Tensor;
    const labels: Tensor1D = tf.tensor1d([...input.labels], 'int32');
    correct = tf.sum(tf.equal(tf.argMax(logits, 1), labels)).dataSync()[0]!;
    return tf.losses.softmaxCrossEntropy(
      tf.oneHot(labels, logits.shape[1]!),
      logits,
      1,
      job.labelSmoothing ?? 0,
      tf.Reduction.SUM,
    );
  };
  const { value, grads } = tf.variableGrads(loss, variables);
  const gradient = flat(variables.map(({ name }) => grads[name]!));
  const statistics = flat(model.nonTrainableWeights.map((weight) => weight.read()));
  return { gradient, statistics, lossSum: value.dataSync()[0]!, correct };
}

/** Log-softmax rows with running statistics. */
export async function evaluateOnCpu(job: OracleJob): Promise<Float32Array> {
  const model = await loadBlankModel(job.topology);
  setVectors(model, job.topology, job.input);
  return tf.logSoftmax(model.predict(imagesOf(job)) as Tensor).dataSync<'float32'>();
}

/** Every layer, including those of nested models and wrappers. */
function layersIn(container: { layers?: Layer[]; layer?: Layer }): Layer[] {
  const inner = [...(container.layers ?? []), ...(container.layer ? [container.layer] : [])];
  return inner.flatMap((layer) => [layer, ...layersIn(layer as { layers?: Layer[]; layer?: Layer })]);
}

function imagesOf({ input, imageShape }: OracleJob): Tensor4D {
  const count = input.labels.length;
  const unit = tf.div(tf.tensor4d([...input.images], [count, ...imageShape]), 255);
  return tf.div(tf.sub(unit, tf.tensor1d(normalise.mean)), tf.tensor1d(normalise.deviation));
}

function setVectors(model: LayersModel, topology: ModelTopology, { params, state }: ProgramInput): void {
  const layout = layoutOf(model, topology);
  const pieces = [
    ...layout.parameters.map((w) => [w, params] as const),
    ...layout.state.map((w) => [w, state] as const),
  ];
  const values = pieces.map(([{ offset, size, shape }, vector]) =>
    tf.tensor(vector.slice(offset, offset + size), [...shape]),
  );
  [...model.trainableWeights, ...model.nonTrainableWeights].forEach((weight, i) => weight.write(values[i]!));
}

function flat(tensors: readonly Tensor[]): Float32Array {
  return Float32Array.from(tensors.flatMap((tensor) => [...tensor.dataSync()]));
}

interface Convolution {
  readonly dilationRate: readonly [number, number];
  readonly padding: 'same' | 'valid';
  readonly kernel?: { read(): Tensor4D };
  readonly depthwiseKernel: { read(): Tensor4D };
  readonly pointwiseKernel: { read(): Tensor4D };
  readonly bias?: { read(): Tensor };
  readonly activation: { apply(x: Tensor): Tensor };
}

/** Gives a layer a correct call where TF.js's own draws other masks, lacks a gradient, or has a wrong one. */
function repair(layer: Layer, job: OracleJob): void {
  const kind = layer.getClassName();
  const rates = (layer as unknown as Partial<Convolution>).dilationRate ?? [1];
  const isDilated = rates.some((rate) => rate !== 1);
  if (kind.endsWith('Dropout') || kind === 'SpatialDropout1D') layer.call = dropout(layer, job);
  if (kind === 'BatchNormalization') fillNorm(layer as unknown as Norm);
  if (kind === 'AveragePooling2D') layer.call = (x) => averages(layer, x as Tensor4D);
  if (kind.endsWith('Conv2D') && isDilated) layer.call = (x) => filled(layer as unknown as Convolution, one(x));
}

interface Norm {
  readonly movingMean: { readonly shape: number[] };
  gamma?: { read(): Tensor };
  beta?: { read(): Tensor };
}

/** In training TF.js reads a batch norm's scale and shift even if it has none. */
function fillNorm(norm: Norm): void {
  const { shape } = norm.movingMean;
  norm.gamma ??= { read: () => tf.ones(shape) };
  norm.beta ??= { read: () => tf.zeros(shape) };
}

function one(x: Tensor | Tensor[]): Tensor4D {
  return (Array.isArray(x) ? x[0] : x) as Tensor4D;
}

function dropout(layer: Layer, { masks, input }: OracleJob): Layer['call'] {
  let calls = 0;
  return (inputs) => {
    calls++;
    const name = calls === 1 ? layer.name : `${layer.name}#${calls}`;
    const at = masks.findIndex((mask) => mask.name === name);
    return at < 0 ? one(inputs) : tf.mul(one(inputs), tf.tensor(input.masks![at]!, [...masks[at]!.shape]));
  };
}

/**
 * Sums over windows, divided by the number of their elements: TF.js's gradient of average pooling ignores the padding.
 */
function averages(layer: Layer, inputs: Tensor4D | Tensor4D[]): Tensor {
  const { poolSize, strides, padding } = layer as unknown as {
    poolSize: [number, number];
    strides: [number, number];
    padding: 'same' | 'valid';
  };
  const x = one(inputs);
  const ones: Tensor4D = tf.ones([...poolSize, x.shape[3], 1]);
  const sums = (y: Tensor4D) => tf.depthwiseConv2d(y, ones, strides, padding);
  return tf.div(sums(x), sums(tf.onesLike(x)));
}

/** A dilated convolution, as one with zeros in its filter. */
function filled(layer: Convolution, x: Tensor4D): Tensor {
  const { padding, dilationRate, kernel } = layer;
  const product = kernel
    ? tf.conv2d(x, withZeros(kernel.read(), dilationRate), 1, padding)
    : tf.conv2d(
        tf.depthwiseConv2d(x, withZeros(layer.depthwiseKernel.read(), dilationRate), 1, padding),
        layer.pointwiseKernel.read(),
        1,
        'valid',
      );
  return layer.activation.apply(layer.bias ? tf.add(product, layer.bias.read()) : product);
}

/** A filter `[kh, kw, …]` with zeros between its rows and columns. */
function withZeros(filter: Tensor4D, [rows, columns]: readonly [number, number]): Tensor4D {
  const [kh, kw, ci, co] = filter.shape;
  const apart = tf.pad(tf.reshape(filter, [kh, 1, kw, 1, ci * co]), [[0, 0], [0, rows - 1], [0, 0], [0, columns - 1], [0, 0]]); // prettier-ignore
  const whole: Tensor4D = tf.reshape(apart, [kh * rows, kw * columns, ci, co]);
  return tf.slice(whole, [0, 0, 0, 0], [(kh - 1) * rows + 1, (kw - 1) * columns + 1, ci, co]);
}
