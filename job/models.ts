import type { ModelTopology } from '../engine/engine.js';
import { JobError } from './errors.js';
import { cnn3, cnn4 } from './models/cnn.js';
import { mlp } from './models/mlp.js';
import { resnet20 } from './models/resnet.js';

const models = { cnn3, cnn4, resnet20, mlp } as const;
export const modelNames = Object.keys(models) as readonly (keyof typeof models)[];

/**
 * TF.js Layers topology of a built-in model, from images `[H, W, C]` to logits `[classes]`. Written without TF.js, so
 * that reading a job doesn't load it.
 * @throws JobError UNKNOWN_MODEL
 */
export function builtinTopology(
  name: string,
  imageShape: readonly [number, number, number],
  classes: number,
): ModelTopology {
  if (isModelName(name)) return models[name](imageShape, classes);
  throw new JobError(
    'UNKNOWN_MODEL',
    `model: expected one of ${modelNames.join(', ')}, got ${JSON.stringify(name)}; correct model in the spec`,
  );
}

export function isModelName(name: string): name is keyof typeof models {
  return Object.hasOwn(models, name);
}

/** Extensions of model files: topology JSON, or a module that builds a TF.js model. */
const modelFile = /\.(json|[cm]?js|[cm]?ts)$/;

/** True if a spec's `model` names a file, which the submitting command reads. */
export function isModelFile(model: string): boolean {
  return modelFile.test(model);
}

/** True for a file that is executed to build the model: any except JSON. */
export function isModule(model: string): boolean {
  return isModelFile(model) && !model.endsWith('.json');
}

/** Title of a model read from a file: `net` for `models/net.json`. */
export function modelTitle(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(modelFile, '');
}
