import type { LayersModel } from '@tensorflow/tfjs-layers';
import { writeFile } from 'node:fs/promises';
import { readModelDefinition } from '../../../cli/model/model-definition.js';
import { prepareJob, type PreparedJob } from '../../../coordinator/prepare-job.js';
import { createEngine } from '../../../engine/create.js';
import type { Engine, MaskInfo, ProgramInput, TrainResult, WeightInfo } from '../../../engine/engine.js';
import { EngineError } from '../../../engine/errors.js';
import { loadBlankModel } from '../../../engine/model/model.js';
import type { Dataset, Split } from '../../../data/dataset.js';
import { drawMasks } from '../../../job/dropout.js';
import { JobError } from '../../../job/errors.js';
import { generatorFor } from '../../../job/random.js';
import { parseSpec } from '../../../job/spec.js';

/** The models' images and classes. */
export const imageShape = [8, 8, 2] as const;
export const classes = 3;
export const normalise = { mean: [0.5, 0.4], deviation: [0.3, 0.25] };
const batch = 5;
const pixels = imageShape.reduce((a, b) => a * b, 1);

/** Outcome of a submission: refused, failed unexpectedly, or trained. */
export type Outcome =
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'crashed'; readonly message: string }
  | Trained;

/** A weight of the programs, with the place of its layer in the model. */
export interface OwnedWeight extends WeightInfo {
  readonly path: readonly string[];
  readonly index: number;
  readonly trainable: boolean;
  readonly momentum: number;
}

export interface Trained {
  readonly kind: 'trained';
  readonly weights: readonly OwnedWeight[];
  readonly initial: PreparedJob['initial'];
  readonly masks: readonly MaskInfo[];
  /** Runs the programs with different weights, images and masks for each `attempt`. */
  readonly run: (attempt: number) => Promise<Results>;
  readonly dispose: () => Promise<void>;
}

export interface Results {
  readonly input: ProgramInput;
  readonly train: TrainResult;
  readonly rows: Float32Array;
}

/** Lockstep as used with a model in a JSON file and one worker. */
export class Subject {
  #last: Promise<Outcome | void> = Promise.resolve();

  private constructor(
    private readonly engine: Engine,
    private readonly file: string,
  ) {}

  /** @param file - path to which submitted models are written. */
  static async create(file: string): Promise<Subject> {
    return new Subject(await createEngine({ name: 'native', threads: 1 }), file);
  }

  /** Submits models one after the other, as TF.js records one at a time. */
  submit(topology: object): Promise<Outcome> {
    const outcome = this.#last.then(() => this.#submit(topology));
    this.#last = outcome;
    return outcome;
  }

  async #submit(topology: object): Promise<Outcome> {
    await writeFile(this.file, JSON.stringify(topology));
    const job = await prepare(this.file);
    if ('kind' in job) return job;
    try {
      return await this.#trained(job);
    } catch (error) {
      return { kind: 'crashed', message: String(error) };
    }
  }

  async #trained(job: PreparedJob): Promise<Trained> {
    const topology = job.manifest.topology;
    const spec = { topology, imageShape, classes, normalise, batch, loss: job.manifest.spec.loss };
    const weights = await ownedWeights(job);
    const train = await this.engine.compileTrain({ ...spec, mode: 'train' });
    const evaluate = await this.engine.compileEvaluate({ ...spec, mode: 'evaluate' });
    return {
      kind: 'trained',
      weights,
      initial: job.initial,
      masks: train.masks,
      run: async (attempt) => {
        const input = inputOf(job, train.masks, attempt);
        const { logProbabilities } = await evaluate.run(input);
        return { input, train: await train.run(input), rows: logProbabilities };
      },
      dispose: async () => {
        await train.dispose();
        await evaluate.dispose();
      },
    };
  }
}

async function prepare(file: string): Promise<PreparedJob | Outcome> {
  try {
    const spec = parseSpec({ name: 'x', model: file, epochs: 1, shards: 1, batchPerShard: batch });
    return await prepareJob(spec, dataset, readModelDefinition);
  } catch (error) {
    if (error instanceof EngineError || error instanceof JobError) return { kind: 'refused', message: error.message };
    return { kind: 'crashed', message: `in submission: ${String(error)}` };
  }
}

const split = (count: number): Split => ({
  count,
  images: new Uint8Array(count * pixels),
  labels: Uint8Array.from({ length: count }, (_, i) => i % classes),
});
const dataset: Dataset = {
  name: 'synthetic',
  title: 'none',
  synthetic: true,
  classes: ['a', 'b', 'c'],
  imageShape,
  normalise,
  trainBatches: [batch],
  train: split(batch),
  test: split(1),
};

type Layer = LayersModel['layers'][number];
type Place = Pick<OwnedWeight, 'path' | 'index' | 'trainable'> & { readonly weight: unknown };

/** The layout's weights, in its order, each with the layer that owns it. */
async function ownedWeights({ manifest, layout }: PreparedJob): Promise<OwnedWeight[]> {
  const model = await loadBlankModel(manifest.topology);
  const places = placesIn(model, []);
  const owned = (infos: readonly WeightInfo[], weights: readonly unknown[]) =>
    infos.map((info, i) => {
      const { path, index, trainable } = places.find(({ weight }) => weight === weights[i])!;
      return { ...info, path, index, trainable, momentum: (info as { momentum?: number }).momentum ?? 0 };
    });
  const all = [...owned(layout.parameters, model.trainableWeights), ...owned(layout.state, model.nonTrainableWeights)];
  model.dispose();
  return all;
}

function placesIn(container: { readonly layers?: readonly Layer[] }, path: readonly string[]): Place[] {
  return (container.layers ?? []).flatMap((layer) => {
    const own = [...path, layer.name];
    const inner = layer as { readonly layers?: readonly Layer[] };
    if (inner.layers) return placesIn(inner, own);
    return [
      ...layer.trainableWeights.map((weight, index) => ({ weight, path: own, index, trainable: true })),
      ...layer.nonTrainableWeights.map((weight, index) => ({ weight, path: own, index, trainable: false })),
    ];
  });
}

/** Images with distinct pixels, so that no maximum has ties, and weights of usual size. */
function inputOf({ layout }: PreparedJob, masks: readonly MaskInfo[], attempt: number): ProgramInput {
  const params = new Float32Array(layout.parameterCount);
  const state = new Float32Array(layout.stateCount);
  for (const weight of layout.parameters) params.set(valuesOf(weight, attempt), weight.offset);
  for (const weight of layout.state) state.set(valuesOf(weight, attempt), weight.offset);
  return {
    params,
    state,
    images: Uint8Array.from({ length: batch }, (_, i) => i).reduce(
      (all, i) => {
        all.set(distinctPixels(attempt, i), i * pixels);
        return all;
      },
      new Uint8Array(batch * pixels),
    ),
    labels: Int32Array.from({ length: batch }, (_, i) => (i + attempt) % classes),
    masks: drawMasks(masks, { seed: 1, step: attempt, shard: 0 }),
  };
}

function distinctPixels(attempt: number, image: number): Uint8Array {
  const generator = generatorFor('images', attempt, image);
  const values = Array.from({ length: 256 }, (_, value) => ({ value, key: generator.next() }));
  values.sort((a, b) => a.key - b.key);
  return Uint8Array.from(values.slice(0, pixels), ({ value }) => value);
}

/** Uniform in centre ± radius. */
function valuesOf({ name, shape, size }: WeightInfo, attempt: number): Float32Array {
  const generator = generatorFor('weights', attempt, name);
  const [centre, radius] = range(name, shape);
  return Float32Array.from({ length: size }, () => centre + (radius * generator.next()) / 2 ** 31);
}

function range(name: string, shape: readonly number[]): [number, number] {
  if (name.endsWith('kernel')) return [0, (3 / shape.slice(0, -1).reduce((a, b) => a * b, 1)) ** 0.5];
  if (name.endsWith('gamma')) return [1, 0.5];
  if (name.endsWith('moving_variance')) return [1, 0.75];
  return name.endsWith('alpha') ? [0.2, 0.2] : [0, 0.3];
}
