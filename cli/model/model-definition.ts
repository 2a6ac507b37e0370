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

/** The parts of a dataset that a model depends on. */
export type ModelData = Pick<Dataset, 'imageShape' | 'classes'>;

/** What a module's function is given to make a model with. */
export interface ModelRequest {
  /** TF.js: tfjs-core and tfjs-layers, e.g. `tf.sequential`, `tf.layers.dense`, `tf.relu`. */
  readonly tf: object;
  /** `[H, W, C]` of the dataset's images. */
  readonly imageShape: readonly [number, number, number];
  /** Number of classes, and so of logits. */
  readonly classes: number;
}

/**
 * The topology of a model in a file: JSON as TF.js and Keras 2 write it, or a module whose default export, a function,
 * returns a `tf.LayersModel`. The module is run here and nowhere else; workers get the topology.
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
 * The topology itself: TF.js's `model.json` has it in `modelTopology`, where Keras's converter puts it into
 * `model_config` once more; Keras's own `to_json()` is bare.
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
  // The same whoever wrote it, as the topology is part of the job's identity.
  return { class_name: className, config, keras_version: '2.15.0', backend: 'tensorflow' };
}

/** The parts of a `tf.LayersModel` that are used; it may come from another copy of TF.js than ours. */
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
  if (!isModel(model)) throw badModel(file, 'its function to return a tf.LayersModel', typeof model);
  if (faults.length > 0) throw faultsError(faults);
  return roundTrip(model, topologyIn(file, model.toJSON(null, false)));
}

/** The topology of a model, after a check that it describes the same model. */
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
    throw badModel(file, expected, `its error: ${found}`, cause);
  }
}

function isModel(value: unknown): value is ModelLike {
  return typeof value === 'object' && value !== null && typeof (value as Partial<ModelLike>).toJSON === 'function';
}

function badModel(file: string, expected: string, found: string, cause?: unknown): JobError {
  return new JobError('BAD_MODEL', `model ${file}: expected ${expected}, got ${found}`, { cause });
}
