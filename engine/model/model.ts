import { createHash } from 'node:crypto';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkSizes } from './check-sizes.js';
import type { ModelLayout, ModelTopology, StateInfo, WeightInfo } from '../engine.js';
import { EngineError } from '../errors.js';
import { sizeOf } from '../ir/shape.js';
import { readTopology } from './topology/read.js';
import { forTfjs, isRandom, withDefaults } from './topology/for-tfjs.js';
import type { InitializerJson } from './topology/value-rules.js';
import { layersOf, mapLayers } from './topology/walk.js';

/** A weight of a loaded model. `name` may have a suffix; `originalName` is the topology's name. */
type Weight = LayersModel['weights'][number];

/**
 * Builds the TF.js model of a parsed topology with newly initialised weights. Owned by the caller, who disposes it.
 * @throws EngineError UNSUPPORTED_MODEL when TF.js cannot read the topology.
 */
async function loadModel(topology: ModelTopology): Promise<LayersModel> {
  const { layers, tf } = await import('./tfjs/tf.js');
  await tf.setBackend('cpu');
  // TF.js modifies its argument.
  const modelTopology = structuredClone(topology);
  try {
    return await layers.loadLayersModel({ load: () => Promise.resolve({ modelTopology }) });
  } catch (cause) {
    throw new EngineError(
      'UNSUPPORTED_MODEL',
      `load model: expected a TF.js Layers topology, got one that TF.js cannot read: ${(cause as Error).message}; ` +
        'correct the model',
      { cause },
    );
  }
}

/**
 * Builds the TF.js model of a topology with zero weights, for tracing and describing it. Owned by the caller.
 * @throws EngineError UNSUPPORTED_MODEL for a model that can't be trained as written, such as one with frozen layers.
 */
export async function loadBlankModel(topology: ModelTopology): Promise<LayersModel> {
  const zeros = { class_name: 'Zeros', config: {} };
  const model = await loadModel(mapInitializers(completed(topology), () => zeros));
  checkSizes(model);
  return model;
}

/**
 * `loadBlankModel` for training: running statistics of batch norms start at 0 and have momentum 0, so that one step
 * turns them into the batch's statistics.
 */
export async function loadTrainingModel(topology: ModelTopology): Promise<LayersModel> {
  const momentless = mapLayers(readTopology(topology), ({ className, config }) =>
    className === 'BatchNormalization' ? { ...config, momentum: 0 } : config,
  );
  return loadBlankModel(momentless);
}

/** Topology in the form that TF.js reads correctly, with every initializer explicit, so that it can be seeded. */
function completed(topology: ModelTopology): ModelTopology {
  return forTfjs(withDefaults(readTopology(topology)));
}

/**
 * Layout of a model's flat vectors: trainable weights in model order, then running statistics with their momentum.
 * @throws EngineError UNSUPPORTED_MODEL for a model that can't be trained as written.
 */
export async function describeModel(topology: ModelTopology): Promise<ModelLayout> {
  const model = await loadBlankModel(topology);
  try {
    return layoutOf(model, topology);
  } finally {
    model.dispose();
  }
}

/** `describeModel` of a loaded model. */
export function layoutOf(model: LayersModel, topology: ModelTopology): ModelLayout {
  const parameters = placed(model.trainableWeights);
  const momenta = momentumByWeight(topology);
  const state = placed(model.nonTrainableWeights).map((weight): StateInfo => {
    const momentum = momenta.get(weight.name);
    if (momentum !== undefined) return { ...weight, momentum };
    throw new EngineError(
      'UNSUPPORTED_MODEL',
      `describe model: expected every weight to be trained or a running statistic, got ${weight.name}, which is ` +
        'neither; set trainable: true on its layer',
    );
  });
  checkNames([...parameters, ...state]);
  return { parameters, parameterCount: total(parameters), state, stateCount: total(state) };
}

/**
 * Initial values of a model's flat vectors, from the initializers of its topology.
 *
 * Each random initializer has its own seed, the first 31 bits of the SHA-256 of `seed/layer/weight`, so that all
 * processes get the same values and layers of equal shape get different ones.
 * @param seed - the job's seed, 0 to 2³² − 1.
 */
export async function initialWeights(
  topology: ModelTopology,
  seed: number,
): Promise<{ params: Float32Array; state: Float32Array }> {
  const seeded = mapInitializers(completed(topology), (initializer, name) => withSeed(initializer, seed, name));
  const model = await loadModel(seeded);
  const values = { params: flat(model.trainableWeights), state: flat(model.nonTrainableWeights) };
  model.dispose();
  return values;
}

const initializerKey = /_initializer$/;

/** Changes every initializer of the topology; `weight` is the weight's name, e.g. `conv1/kernel`. */
function mapInitializers(
  topology: ModelTopology,
  change: (initializer: InitializerJson, weight: string) => InitializerJson,
): ModelTopology {
  return mapLayers(topology, ({ name, config }) => {
    const entries = Object.entries(config).map(([key, value]) => {
      if (!initializerKey.test(key)) return [key, value] as const;
      return [key, change(value as InitializerJson, `${name}/${key.replace(initializerKey, '')}`)] as const;
    });
    return Object.fromEntries(entries);
  });
}

function withSeed(initializer: InitializerJson, jobSeed: number, weight: string): InitializerJson {
  if (!isRandom(initializer)) return initializer;
  const digest = createHash('sha256').update(`${jobSeed}/${weight}`).digest();
  return { ...initializer, config: { ...initializer.config, seed: digest.readUInt32BE(0) >>> 1 } };
}

/** Momentum of each running statistic, by weight name; TF.js's default is 0.99. */
function momentumByWeight(topology: ModelTopology): Map<string, number> {
  const norms = layersOf(readTopology(topology)).filter(({ className }) => className === 'BatchNormalization');
  return new Map(
    norms.flatMap(({ name, config }) => {
      const momentum = (config['momentum'] as number | undefined) ?? 0.99;
      return ['moving_mean', 'moving_variance'].map((weight) => [`${name}/${weight}`, momentum] as const);
    }),
  );
}

function placed(weights: readonly Weight[]): WeightInfo[] {
  let offset = 0;
  return weights.map(({ originalName: name, shape }) => {
    const info = { name, shape: shape as number[], offset, size: sizeOf(shape as number[]) };
    offset += info.size;
    return info;
  });
}

function total(weights: readonly WeightInfo[]): number {
  return weights.reduce((sum, { size }) => sum + size, 0);
}

function flat(weights: readonly Weight[]): Float32Array {
  const infos = placed(weights);
  const vector = new Float32Array(total(infos));
  infos.forEach(({ offset }, i) => vector.set(weights[i]!.read().dataSync(), offset));
  return vector;
}

function checkNames(weights: readonly WeightInfo[]): void {
  const names = weights.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new EngineError(
    'UNSUPPORTED_MODEL',
    `describe model: expected weights with different names, got ${twice} twice; give every layer its own name`,
  );
}
