import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModelTopology } from '../../engine/engine.js';
import { loadBlankModel } from '../../engine/model/model.js';
import { canonical } from '../../engine/model/topology/canonical.js';
import { faultsError, type LayerFault } from '../../engine/model/topology/fault.js';
import { foreignFormat } from '../../engine/model/topology/format.js';
import { isObject } from '../../engine/model/topology/json.js';
import { checkRoundTrip, type Model as ComparedModel } from '../../engine/model/topology/round-trip.js';
import { watchOptions } from '../../engine/model/topology/watch-options.js';
import type { Dataset } from '../../data/dataset.js';
import { JobError } from '../../job/errors.js';
import { isModule } from '../../job/models.js';
import { readModelText } from './model-file.js';
import { showValue } from '../../job/expected.js';

/** Dataset fields that a model depends on. */
export type ModelData = Pick<Dataset, 'imageShape' | 'classes'>;

/** Argument of a module's default export. */
interface ModelRequest {
  /** TF.js: tfjs-core and tfjs-layers, e.g. `tf.sequential`, `tf.layers.dense`, `tf.relu`. */
  readonly tf: object;
  /** `[H, W, C]` of the dataset's images. */
  readonly imageShape: readonly [number, number, number];
  /** Number of classes and logits. */
  readonly classes: number;
}

/**
 * Reads a model's topology from a file: JSON written by TF.js or Keras 2, or a module whose default export is a function
 * that returns a `tf.LayersModel`. The module runs only in this process; workers get the topology.
 * @throws JobError BAD_MODEL that names the file.
 */
export async function readModelDefinition(file: string, { imageShape, classes }: ModelData): Promise<ModelTopology> {
  return isModule(file) ? evaluateModule(file, { imageShape, classes: classes.length }) : readTopology(file);
}

async function readTopology(file: string): Promise<ModelTopology> {
  return topologyIn(file, parseJson(file, await readModelText(file)));
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw badModel(file, 'JSON', (cause as Error).message, cause);
  }
}

/**
 * Unwraps the topology: TF.js's `model.json` has it in `modelTopology`, Keras's converter in `model_config` within that,
 * and Keras's `to_json()` at the top.
 */
function topologyIn(file: string, value: unknown): ModelTopology {
  if (!isObject(value)) throw badModel(file, 'a topology', showValue(value));
  const foreign = foreignFormat(value);
  if (foreign !== undefined) throw new JobError('BAD_MODEL', `model ${file}: ${foreign}`);
  if (isObject(value['modelTopology'])) return topologyIn(file, value['modelTopology']);
  if (isObject(value['model_config'])) return topologyIn(file, value['model_config']);
  const { class_name: className, config } = canonical(value);
  if (typeof className !== 'string' || !isObject(config)) {
    const keys = Object.keys(value).slice(0, 5).join(', ');
    throw badModel(
      file,
      'a TF.js or Keras 2 topology with class_name and config',
      `an object with ${keys || 'no keys'}`,
    );
  }
  // Independent of the writer, because the topology is part of the job digest.
  return { class_name: className, config, keras_version: '2.15.0', backend: 'tensorflow' };
}

/** Used members of a `tf.LayersModel`, which may come from another copy of TF.js. */
interface ModelLike extends ComparedModel {
  toJSON(unused: null, returnString: false): unknown;
}

async function evaluateModule(file: string, shapes: Omit<ModelRequest, 'tf'>): Promise<ModelTopology> {
  const make = await importDefault(file);
  const { tf, layers } = await import('../../engine/model/tfjs/tf.js');
  await tf.setBackend('cpu');
  const faults: LayerFault[] = [];
  const watched = { ...layers, layers: watchOptions(layers.layers, (found) => faults.push(...found)) };
  const model = await attempt(file, 'a function that returns a model', () =>
    make({ tf: { ...tf, ...watched }, ...shapes }),
  );
  if (!isModel(model))
    throw badModel(file, 'a function that returns a tf.LayersModel', `one that returns ${typeof model}`);
  if (faults.length > 0) throw faultsError(faults);
  return roundTrip(model, topologyIn(file, model.toJSON(null, false)));
}

/** Returns `topology` after checking that it describes the same model. */
async function roundTrip(model: ModelLike, topology: ModelTopology): Promise<ModelTopology> {
  const reloaded = await loadBlankModel(topology);
  try {
    checkRoundTrip(model, reloaded);
    return topology;
  } finally {
    reloaded.dispose();
  }
}

async function importDefault(file: string): Promise<(request: ModelRequest) => unknown> {
  const module = await attempt(file, 'a module that loads', () => import(pathToFileURL(resolve(file)).href));
  const make = (module as { readonly default?: unknown }).default;
  if (typeof make === 'function') return make as (request: ModelRequest) => unknown;
  throw badModel(
    file,
    'a function as default export',
    `${typeof make}; write export default ({ tf, imageShape, classes }) => …`,
  );
}

async function attempt(file: string, expected: string, action: () => unknown): Promise<unknown> {
  try {
    return await action();
  } catch (cause) {
    // A module may throw anything.
    const found = cause instanceof Error ? cause.message : String(cause);
    throw badModel(file, expected, `an error: ${found}`, cause);
  }
}

function isModel(value: unknown): value is ModelLike {
  return typeof value === 'object' && value !== null && typeof (value as Partial<ModelLike>).toJSON === 'function';
}

function badModel(file: string, expected: string, found: string, cause?: unknown): JobError {
  return new JobError('BAD_MODEL', `model ${file}: expected ${expected}, got ${found}`, { cause });
}
