import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Engine, EvaluateProgram, MaskInfo, ProgramSpec, TrainProgram } from '../engine.js';
import { layoutOf, loadBlankModel, loadTrainingModel } from '../model/model.js';
import { imagesFeed, labelsFeed, maskFeeds, vectorFeed } from '../feeds.js';
import { loadBinding } from './binding.js';
import { EagerModel } from './eager-model.js';

export interface TensorflowEngineOptions {
  /** Threads per operator; the same for all engines of a process. */
  readonly threads: number;
  /** Directory to search for the binding in addition to Lockstep's packages and `NODE_PATH`. */
  readonly directory?: string | undefined;
}

/**
 * Creates an engine that computes with TensorFlow through TF.js's native binding. A step runs eagerly, kernel by kernel.
 * It supports the same models as the onnx engine and rejects others with the same messages.
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

/** Result of tracing a model, which rejects unsupported models and finds the dropout masks. */
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

/** Promise of a synchronous computation; rejects with its error. */
function promised<T>(compute: () => T): Promise<T> {
  return new Promise((resolve) => resolve(compute()));
}
