import type { ModelTopology } from '../engine/engine.js';
import { JobError } from './errors.js';
import { cnn3, cnn4 } from './models/cnn.js';
import { mlp } from './models/mlp.js';
import { resnet20 } from './models/resnet.js';

const models = { cnn3, cnn4, resnet20, mlp } as const;
export const modelNames = Object.keys(models) as readonly (keyof typeof models)[];

/**
 * TF.js Layers topology of a built-in model, from images `[H, W, C]` to logits `[classes]`. Written by hand, so that
 * reading a job needs no TF.js.
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

/** Endings of files that hold a model: topology JSON, or a module that makes a TF.js model. */
const modelFile = /\.(json|[cm]?js|[cm]?ts)$/;

/** Whether a spec's `model` names a file, which the submitting command reads. */
export function isModelFile(model: string): boolean {
  return modelFile.test(model);
}

/** True for a file that runs to build the model: any except JSON. */
export function isModule(model: string): boolean {
  return isModelFile(model) && !model.endsWith('.json');
}

/** What a model that was read from a file is called: `net` for `models/net.json`. */
export function modelTitle(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(modelFile, '');
}
