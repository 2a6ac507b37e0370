import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Option } from 'commander';
import { parseCheckpointWish } from '../../run/checkpoint/choose-checkpoint.js';
import { readModelFile } from '../../run/model/read-model-file.js';
import { readRunModel } from '../../run/model/read-run.js';
import type { TrainedModel } from '../../run/model/trained-model.js';
import { classify } from '../../engine/classify.js';
import { arithmeticVersion } from '../../engine/arithmetic.js';
import { createEngine } from '../../engine/create.js';
import type { InstructionSet } from '../../engine/engine.js';
import { JobError } from '../../job/errors.js';
import type { ModelCard } from '../../job/model-card.js';
import type { JobManifest } from '../../job/manifest.js';
import { type JobSpec, mostThreads } from '../../job/spec.js';
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
  readonly trained: TrainedModel;
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

export interface OpenOptions {
  /** Checkpoint of a run; default: the last. */
  readonly checkpoint?: string | undefined;
  /** Instruction set of the native engine; default: the fastest that works. */
  readonly isa?: InstructionSet | undefined;
}

/**
 * Opens a run or a model file. The native engine classifies, whatever engine trained the model.
 * @throws JobError BAD_OPTION or BAD_RUN_DIRECTORY.
 */
export async function openModel(path: string, { checkpoint, isa }: OpenOptions = {}): Promise<OpenedModel> {
  if (await exists(join(path, 'job.json'))) return openRun(path, checkpoint, isa);
  const file = await modelFileAt(path);
  if (checkpoint !== undefined) {
    const message = `--checkpoint: expected a run, got the model file ${file}; remove --checkpoint`;
    throw new JobError('BAD_OPTION', message);
  }
  const model = await readModelFile(file);
  const { card } = model;
  const description = `${file} (step ${card.step} on ${card.dataset.title})`;
  return { card, data: card.data, description, trained: model, classify: classifier(model, usualBatch, isa) };
}

/** Opens a run's model. With the same arithmetic, its results have the bits of the run's own evaluation. */
async function openRun(path: string, checkpoint = 'last', isa?: InstructionSet): Promise<OpenedModel> {
  const { manifest, model, stepsPerEpoch } = await readRunModel(path, parseCheckpointWish(checkpoint));
  const { data, evaluation } = manifest.spec;
  const { step } = model.card;
  const epoch = Math.floor(step / stepsPerEpoch);
  return {
    card: model.card,
    description: `${path}, after step ${step} (epoch ${epoch} of ${manifest.spec.epochs})${noteOf(manifest)}`,
    data,
    epoch,
    trained: model,
    classify: classifier(model, evaluation.batch, isa),
  };
}

/** Addition to the description of a run whose own evaluation may differ in the last bits. */
function noteOf({ arithmetic }: JobManifest): string {
  return arithmetic === arithmeticVersion ? '' : '; trained with another arithmetic, so the last digits may differ';
}

/** Classifies with all cores. @param batch - images per call, which changes no bit. */
export function classifier(model: TrainedModel, batch: number, isa?: InstructionSet): OpenedModel['classify'] {
  const { topology, params, state, card } = model;
  const { imageShape, normalise, classes } = card;
  return async (count, images) => {
    const [threads, cacheDirectory] = [availableParallelism(), programDirectory(true)];
    const engine = await createEngine({ name: 'native', threads: Math.min(threads, mostThreads), isa, cacheDirectory });
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
