import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { MaskInfo, ProgramSpec } from '../engine.js';
import { EngineError } from '../errors.js';
import { binary } from '../ir/elementwise.js';
import type { Graph } from '../ir/graph.js';
import type { Node } from '../ir/node.js';
import { argExtreme, reduce } from '../ir/reduce.js';
import { cast, withoutShapeOps } from '../ir/shape-ops.js';
import { sameShape, show } from '../ir/shape.js';
import { tf } from '../model/tfjs/tf.js';
import { maskInput } from '../feeds.js';
import { allLayers } from '../model/layers.js';
import { dilatedConv2d, dilatedDepthwise } from './dilated.js';
import { checkLogits, type LogitsSource } from './check-logits.js';
import { createLayerCheck } from './layer-check.js';
import type { LayerOps, TraceContext } from './layers.js';
import { defaultLoss, losses } from './loss.js';
import { backend, recording } from './register.js';
import { wrapLayers } from './wrap-layers.js';

/** A flat input of a program, and the weights in it, in order. */
export interface FlatInput {
  readonly name: 'params' | 'state';
  readonly pieces: readonly Node[];
}

/** An output: one tensor, or several, flattened and concatenated. */
export type Output =
  | { readonly kind: 'tensor'; readonly name: string; readonly node: Node }
  | { readonly kind: 'flat'; readonly name: string; readonly pieces: readonly Node[] };

/** A program as a graph from inputs to outputs. */
export interface TracedProgram {
  readonly graph: Graph;
  readonly flatInputs: readonly FlatInput[];
  readonly outputs: readonly Output[];
  /** Dropout masks, in the order of the layers' calls. */
  readonly masks?: readonly MaskInfo[];
  /** Advice for the user about a supported model. */
  readonly advice?: string;
}

/**
 * Records one training step: gradient of the summed loss, loss sum, number of correct predictions, batch statistics.
 * @param model - by `loadTrainingModel`, so that a batch norm's update is the batch's statistic.
 */
export function traceTraining(model: LayersModel, spec: ProgramSpec): TracedProgram {
  return recording(() => {
    const graph = backend.start();
    const params = bindWeights(model.trainableWeights);
    const labels = graph.input('labels', [spec.batch], 'int32', 'int32');
    let logits: Node | undefined;
    const context: TraceContext = { training: true, masks: [], ops };
    const lossSum = losses[(spec.loss ?? defaultLoss).type](spec.loss ?? defaultLoss, spec.classes);
    const loss = () => {
      const { logits: scores } = applyModel(model, spec, context);
      logits = backend.nodeOf(scores);
      return lossSum(scores, backend.tensorOf(labels)) as never;
    };
    const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
    const { value, grads } = tf.variableGrads(loss, variables);
    const right = binary(graph, 'equal', argExtreme(graph, 'argMax', logits!, -1), labels);
    return {
      graph,
      flatInputs: [{ name: 'params', pieces: params }],
      outputs: [
        { kind: 'flat', name: 'gradient', pieces: variables.map(({ name }) => backend.nodeOf(grads[name]!)) },
        ...statistics(model),
        { kind: 'tensor', name: 'loss', node: backend.nodeOf(value) },
        { kind: 'tensor', name: 'correct', node: reduce(graph, 'sum', cast(graph, right, 'int32'), {}) },
      ],
      masks: context.masks,
    };
  });
}

/** Records the evaluation of a model: log-softmax rows `[batch, classes]`. */
export function traceEvaluation(model: LayersModel, spec: ProgramSpec): TracedProgram {
  return recording(() => {
    const graph = backend.start();
    const params = bindWeights(model.trainableWeights);
    const state = bindWeights(model.nonTrainableWeights);
    const { logits, advice } = applyModel(model, spec, { training: false, masks: [], ops });
    const rows = tf.logSoftmax(logits);
    const flatInputs: FlatInput[] = [{ name: 'params', pieces: params }];
    if (state.length > 0) flatInputs.push({ name: 'state', pieces: state });
    const outputs: Output[] = [{ kind: 'tensor', name: 'log_probabilities', node: backend.nodeOf(rows) }];
    return { graph, flatInputs, outputs, ...(advice === undefined ? {} : { advice }) };
  });
}

/** Replaces every weight by a param node. */
function bindWeights(weights: LayersModel['weights']): Node[] {
  return weights.map((weight) => {
    const node = backend.graph.param(weight.originalName, weight.shape as number[]);
    weight.write(backend.tensorOf(node));
    return node;
  });
}

/** Logits `[batch, classes]` of the program's images, and advice about them. */
function applyModel(model: LayersModel, spec: ProgramSpec, context: TraceContext): Scores {
  checkShapes(model, spec);
  const images = backend.graph.input('images', [spec.batch, ...spec.imageShape], 'int32', 'uint8');
  const x = normalise(backend.tensorOf(images), spec.normalise);
  const { training } = context;
  const pixels = backend.nodeOf(x);
  const check = createLayerCheck((tensor) => withoutShapeOps(backend.nodeOf(tensor)) === pixels);
  const apply = () => model.apply(x, { training }) as Tensor;
  const logits = wrapLayers(model, backend, { ...context, check }, apply);
  const advice = checkLogits(backend.nodeOf(logits), sourceOf(model, logits));
  return advice === undefined ? { logits } : { logits, advice };
}

interface Scores {
  readonly logits: Tensor;
  readonly advice?: string;
}

/** Layer that computes the logits, ignoring later changes of shape. */
function sourceOf(model: LayersModel, logits: Tensor): LogitsSource {
  const name = backend.layerOf(withoutShapeOps(backend.nodeOf(logits)));
  const layer = allLayers(model).find((each) => each.name === name);
  return { layer: name, activation: layer?.getConfig()['activation'] };
}

/** Replacements of TF.js's operations while tracing. */
const ops: LayerOps = {
  mask: ({ name, shape }) => backend.tensorOf(backend.graph.input(maskInput(name), shape, 'float32', 'float32')),
  dilatedConv2d,
  dilatedDepthwise,
};

/** `(x / 255 − mean) / deviation`, per channel, as one multiplication and one addition. */
function normalise(images: Tensor, { mean, deviation }: ProgramSpec['normalise']): Tensor {
  const scale = deviation.map((d) => 1 / (255 * d));
  const offset = mean.map((m, channel) => -m / deviation[channel]!);
  return tf.add(tf.mul(tf.cast(images, 'float32'), tf.tensor1d(scale)), tf.tensor1d(offset));
}

function statistics(model: LayersModel): Output[] {
  const pieces = model.nonTrainableWeights.map((weight) => backend.nodeOf(weight.read()));
  return pieces.length > 0 ? [{ kind: 'flat', name: 'statistics', pieces }] : [];
}

function checkShapes(model: LayersModel, spec: ProgramSpec): void {
  const [input, output] = [model.inputs, model.outputs];
  const expected = `images ${show(spec.imageShape)} in and ${spec.classes} logits out`;
  const got = `${describe(input)} in and ${describe(output)} out`;
  const imagesFit = input.length === 1 && sameShape(input[0]!.shape.slice(1), spec.imageShape);
  const isVector = output.length === 1 && output[0]!.shape.length === 2;
  if (imagesFit && isVector && output[0]!.shape[1] === spec.classes) return;
  const remedy =
    imagesFit && isVector ? `give the last layer ${spec.classes} units and no activation` : 'change the model';
  throw new EngineError('UNSUPPORTED_MODEL', `compile: expected a model with ${expected}, got ${got}; ${remedy}`);
}

function describe(tensors: LayersModel['inputs']): string {
  return tensors.map(({ shape }) => show(shape.slice(1))).join(' and ');
}

/** Output nodes of a program, in their order. */
export function outputNodes({ outputs }: Pick<TracedProgram, 'outputs'>): Node[] {
  return outputs.flatMap((output) => (output.kind === 'tensor' ? [output.node] : output.pieces));
}
