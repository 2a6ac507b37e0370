import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { MaskInfo, ProgramInput, ProgramSpec, TrainResult } from '../engine.js';
import { disposedError, EngineError } from '../errors.js';
import { tf } from '../model/tfjs/tf.js';
import type { TraceContext } from '../trace/layers.js';
import { defaultLoss, losses } from '../trace/loss.js';
import { type CurrentLayer, wrapLayers } from '../trace/wrap-layers.js';
import { backendName } from './binding.js';
import { dilatedConv2d, dilatedDepthwise } from './eager-ops.js';

type Weights = LayersModel['weights'];

/** A TF.js model that runs eagerly on libtensorflow. Owned by one program, which checks inputs. */
export class EagerModel {
  readonly #current: CurrentLayer = { layer: undefined };
  readonly #context: TraceContext;
  /** The run's masks, by name. */
  #masks: ReadonlyMap<string, Float32Array> = new Map();
  #isDisposed = false;

  /** @param model - by `loadTrainingModel` if it is to be trained; owned by this object. */
  constructor(
    private readonly model: LayersModel,
    private readonly spec: ProgramSpec,
  ) {
    const mask = ({ name, shape }: MaskInfo) => tf.tensor(this.#masks.get(name)!, [...shape]);
    const ops = { mask, dilatedConv2d, dilatedDepthwise };
    this.#context = { training: spec.mode === 'train', masks: [], ops };
    wrapLayers(model, this.#current, this.#context, () => undefined);
  }

  train({ params, images, labels, masks = [] }: ProgramInput, infos: readonly MaskInfo[]): TrainResult {
    this.#masks = new Map(infos.map(({ name }, i) => [name, masks[i]!]));
    this.#context.masks.length = 0;
    return this.#compute(() => {
      writeAll(this.model.trainableWeights, params);
      clearAll(this.model.nonTrainableWeights);
      return this.#step(images, tf.tensor1d(labels, 'int32'));
    });
  }

  /** Log-softmax rows `[batch, classes]`. */
  evaluate({ params, state, images }: ProgramInput): Float32Array {
    return this.#compute(() => {
      writeAll(this.model.trainableWeights, params);
      writeAll(this.model.nonTrainableWeights, state);
      return read(tf.logSoftmax(this.#logits(images)));
    });
  }

  dispose(): void {
    if (!this.#isDisposed) this.model.dispose();
    this.#isDisposed = true;
  }

  #step(images: Uint8Array, labels: Tensor): TrainResult {
    const { model, spec } = this;
    const lossOf = losses[(spec.loss ?? defaultLoss).type](spec.loss ?? defaultLoss, spec.classes);
    let correct = 0;
    const loss = () => {
      const logits = this.#logits(images);
      // Read here, because `variableGrads` disposes tensors created inside.
      correct = countCorrect(logits, labels);
      return lossOf(logits, labels) as never;
    };
    const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
    const { value, grads } = tf.variableGrads(loss, variables);
    return {
      gradient: joined(variables.map(({ name }) => grads[name]!)),
      statistics: joined(model.nonTrainableWeights.map((weight) => weight.read())),
      lossSum: read(value)[0]!,
      correct,
    };
  }

  #logits(images: Uint8Array): Tensor {
    const { model, spec } = this;
    const x = tf.tensor(Float32Array.from(images), [spec.batch, ...spec.imageShape]);
    return model.apply(normalise(x, spec.normalise), { training: this.#context.training }) as Tensor;
  }

  /** Runs `compute` on libtensorflow and disposes all tensors that it created, also after an error. */
  #compute<T>(compute: () => T): T {
    if (this.#isDisposed) throw disposedError();
    const before = tf.getBackend();
    // Synchronous for a registered backend.
    void tf.setBackend(backendName);
    tf.engine().startScope();
    try {
      return compute();
    } catch (cause) {
      throw this.#failure(cause as Error);
    } finally {
      tf.engine().endScope();
      void tf.setBackend(before);
    }
  }

  #failure(cause: Error): EngineError {
    const { layer } = this.#current;
    const place = layer === undefined ? '' : `; last layer ${JSON.stringify(layer)}`;
    return new EngineError('RUNTIME', `run: expected success, got an error of TensorFlow: ${cause.message}${place}`, {
      cause,
    });
  }
}

/** `(x / 255 − mean) / deviation`, per channel. */
function normalise(images: Tensor, { mean, deviation }: ProgramSpec['normalise']): Tensor {
  return tf.div(tf.sub(tf.div(images, 255), tf.tensor1d([...mean])), tf.tensor1d([...deviation]));
}

/** Writes a flat vector to the weights, in order. */
function writeAll(weights: Weights, values: Float32Array): void {
  let offset = 0;
  for (const weight of weights) {
    const shape = weight.shape as number[];
    const size = tf.util.sizeFromShape(shape);
    weight.write(tf.tensor(values.subarray(offset, offset + size), shape));
    offset += size;
  }
}

function clearAll(weights: Weights): void {
  for (const weight of weights) weight.write(tf.zeros(weight.shape as number[]));
}

function countCorrect(logits: Tensor, labels: Tensor): number {
  const right = tf.equal(tf.argMax(logits, -1), labels);
  return read(tf.sum(tf.cast(right, 'float32')))[0]!;
}

/** Concatenation of all elements. A single read, because each waits for the device. */
function joined(tensors: readonly Tensor[]): Float32Array {
  if (tensors.length === 0) return new Float32Array(0);
  return read(tf.concat(tensors.map((tensor) => tf.reshape(tensor, [-1]))));
}

function read(tensor: Tensor): Float32Array {
  return tensor.dataSync<'float32'>();
}
