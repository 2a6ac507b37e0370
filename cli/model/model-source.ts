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

/** A model to be used, wherever it comes from. */
export interface OpenedModel {
  readonly card: ModelCard;
  /** For people: which state of what. */
  readonly description: string;
  /** The data that it was trained on; of a run also where that lies. */
  readonly data: JobSpec['data'];
  /** Complete epochs, where that is known. */
  readonly epoch?: number;
  /** Undefined of an ONNX file, whose weights are part of its operators. */
  readonly trained?: TrainedModel;
  /** Log-probabilities `[count, classes]` of u8 images `[count, H, W, C]`. */
  readonly classify: (count: number, images: Uint8Array) => Promise<Float32Array>;
}

/** What commands say about their argument. */
export const modelHelp = 'run directory, or a model file: model.json, .onnx or .safetensors, or the directory with it';

/** `--checkpoint`, for commands that take a run. */
export function checkpointOption(): Option {
  return new Option('--checkpoint <which>', 'of a run: last, best (by test accuracy), epoch:N or step:N').default(
    undefined,
    'last',
  );
}

/** Images that one call takes, of models that do not come from a run. */
const usualBatch = 100;

/**
 * Opens a run or a model file.
 * @param checkpoint - which state of a run.
 * @throws JobError BAD_OPTION or BAD_RUN_DIRECTORY.
 */
export async function openModel(path: string, checkpoint: string | undefined): Promise<OpenedModel> {
  if (await exists(join(path, 'job.json'))) return openRun(path, checkpoint);
  const file = await modelFileAt(path);
  if (checkpoint !== undefined) {
    const message = `--checkpoint: expected a run, which has several, got the model file ${file}; leave it out`;
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

/** Evaluates as the run's own workers do, in batches of the same size, so the bits are the same. */
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
  const found = info ? 'a directory without' : 'nothing';
  throw new JobError('BAD_OPTION', `model: expected a ${modelHelp}, got ${found} at ${path}; see lockstep runs`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
