import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Engine, EvaluateProgram, MaskInfo, ProgramSpec, TrainProgram } from '../engine.js';
import { layoutOf, loadBlankModel, loadTrainingModel } from '../model/model.js';
import { imagesFeed, labelsFeed, maskFeeds, vectorFeed } from '../feeds.js';
import { loadBinding } from './binding.js';
import { EagerModel } from './eager-model.js';

export interface TensorflowEngineOptions {
  /** Threads inside one operator; one number per process. */
  readonly threads: number;
  /** Another place to search for the binding, besides Lockstep's own packages and `NODE_PATH`. */
  readonly directory?: string | undefined;
}

/**
 * The engine that computes with TensorFlow, through TF.js's native binding: the step runs eagerly, kernel by kernel, as
 * TF.js itself would run it. It takes the models that the onnx engine takes, and refuses others with the same words.
 * @throws EngineError RUNTIME when the binding is not installed or does not load.
 */
export async function createTensorflowEngine({ threads, directory }: TensorflowEngineOptions): Promise<Engine> {
  const { version, device } = await loadBinding(threads, directory);
  return {
    info: { name: 'tensorflow', version, device, lowering: 'eager', threads },
    compileTrain,
    compileEvaluate,
  };
}

async function compileTrain(spec: ProgramSpec & { mode: 'train' }): Promise<TrainProgram> {
  const { traceTraining } = await import('../trace/program.js');
  const masks = await checked(loadTrainingModel(spec.topology), (model) => traceTraining(model, spec).masks ?? []);
  const model = await loadTrainingModel(spec.topology);
  return trainProgram(spec, masks, model);
}

/** What a trace of the model says; it refuses what cannot be trained, and knows the masks. */
async function checked<T>(loading: Promise<LayersModel>, trace: (model: LayersModel) => T): Promise<T> {
  const model = await loading;
  try {
    return trace(model);
  } finally {
    model.dispose();
  }
}

function trainProgram(spec: ProgramSpec, masks: readonly MaskInfo[], model: LayersModel): TrainProgram {
  const layout = layoutOf(model, spec.topology);
  const eager = new EagerModel(model, spec);
  return {
    mode: 'train',
    batch: spec.batch,
    masks,
    run: (input) =>
      promised(() => {
        vectorFeed('params', input.params, layout.parameterCount);
        imagesFeed(input, spec);
        labelsFeed(input, spec);
        maskFeeds(input, masks);
        return eager.train(input, masks);
      }),
    dispose: () => promised(() => eager.dispose()),
  };
}

async function compileEvaluate(spec: ProgramSpec & { mode: 'evaluate' }): Promise<EvaluateProgram> {
  const { traceEvaluation } = await import('../trace/program.js');
  await checked(loadBlankModel(spec.topology), (model) => traceEvaluation(model, spec));
  const model = await loadBlankModel(spec.topology);
  const layout = layoutOf(model, spec.topology);
  const eager = new EagerModel(model, spec);
  return {
    mode: 'evaluate',
    batch: spec.batch,
    run: (input) =>
      promised(() => {
        vectorFeed('params', input.params, layout.parameterCount);
        imagesFeed(input, spec);
        if (layout.stateCount > 0) vectorFeed('state', input.state, layout.stateCount);
        return { logProbabilities: eager.evaluate(input) };
      }),
    dispose: () => promised(() => eager.dispose()),
  };
}

/** The binding computes within the call; what it throws becomes the promise's. */
function promised<T>(compute: () => T): Promise<T> {
  return new Promise((resolve) => resolve(compute()));
}
