import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Option } from 'commander';
import { parseCheckpointWish } from '../../run/checkpoint/choose-checkpoint.js';
import { readModelFile } from '../../run/model/read-model-file.js';
import { readRunModel } from '../../run/model/read-run.js';
import type { TrainedModel } from '../../run/model/trained-model.js';
import { classify } from '../../engine/classify.js';
import { createEngine, type EngineChoice } from '../../engine/create.js';
import { runExported } from '../../engine/onnx/run-exported.js';
import { JobError } from '../../job/errors.js';
import type { ModelCard } from '../../job/model-card.js';
import type { JobSpec } from '../../job/spec.js';
import { programDirectory } from '../program-cache.js';

/** An opened model, from a run or a file. */
export interface OpenedModel {
  readonly card: ModelCard;
  /** Human-readable source and step. */
  readonly description: string;
  /** Training data; for a run with its location. */
  readonly data: JobSpec['data'];
  /** Completed epochs, if known. */
  readonly epoch?: number;
  /** Undefined for an ONNX file, whose weights can't be extracted. */
  readonly trained?: TrainedModel;
  /** Log-probabilities `[count, classes]` of u8 images `[count, H, W, C]`. */
  readonly classify: (count: number, images: Uint8Array) => Promise<Float32Array>;
}

/** Help text of the model argument. */
export const modelHelp = 'run directory, model file (model.json, .onnx, .safetensors), or directory with one';

/** `--checkpoint`, for commands that take a run. */
export function checkpointOption(): Option {
  return new Option(
    '--checkpoint <which>',
    'checkpoint of a run: last, best (by test accuracy), epoch:N or step:N',
  ).default(undefined, 'last');
}

/** Batch size for models that don't come from a run. */
const usualBatch = 100;

/**
 * Opens a run or a model file.
 * @param checkpoint - value of `--checkpoint`.
 * @throws JobError BAD_OPTION or BAD_RUN_DIRECTORY.
 */
export async function openModel(path: string, checkpoint: string | undefined): Promise<OpenedModel> {
  if (await exists(join(path, 'job.json'))) return openRun(path, checkpoint);
  const file = await modelFileAt(path);
  if (checkpoint !== undefined) {
    const message = `--checkpoint: expected a run, got the model file ${file}; remove --checkpoint`;
    throw new JobError('BAD_OPTION', message);
  }
  const model = await readModelFile(file);
  const { card } = model;
  const common = { card, data: card.data, description: `${file} (step ${card.step} on ${card.dataset.title})` };
  if ('onnx' in model) {
    return { ...common, classify: (count, images) => runExported(model.onnx, { count, images }, card.imageShape) };
  }
  const engine = { name: 'onnx', threads: 1 } as const;
  return { ...common, trained: model, classify: classifier(model, engine, usualBatch) };
}

/** Opens a run's model. It is evaluated in the run's batch size, so the results are bit-identical to the run's own. */
async function openRun(path: string, checkpoint = 'last'): Promise<OpenedModel> {
  const { manifest, model, stepsPerEpoch } = await readRunModel(path, parseCheckpointWish(checkpoint));
  const { data, engine, evaluation } = manifest.spec;
  const { step } = model.card;
  const epoch = Math.floor(step / stepsPerEpoch);
  return {
    card: model.card,
    description: `${path}, after step ${step} (epoch ${epoch} of ${manifest.spec.epochs})`,
    data,
    epoch,
    trained: model,
    classify: classifier(model, engine, evaluation.batch),
  };
}

function classifier(model: TrainedModel, choice: EngineChoice, batch: number): OpenedModel['classify'] {
  const { topology, params, state, card } = model;
  const { imageShape, normalise, classes } = card;
  return async (count, images) => {
    const engine = await createEngine({ ...choice, cacheDirectory: programDirectory(true) });
    const request = { topology, imageShape, classes: classes.length, normalise, params, state, count, images };
    return classify(engine, { ...request, batch: Math.min(batch, count) });
  };
}

async function modelFileAt(path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) return path;
  for (const name of ['model.json', 'model.onnx', 'model.safetensors']) {
    if (await exists(join(path, name))) return join(path, name);
  }
  const found = info ? 'a directory without a model' : 'no such file';
  throw new JobError('BAD_OPTION', `open model ${path}: expected a ${modelHelp}, got ${found}; see lockstep runs`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
