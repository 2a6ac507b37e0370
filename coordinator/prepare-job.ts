import { arithmeticOf } from '../engine/arithmetic.js';
import type { ModelLayout, ModelTopology } from '../engine/engine.js';
import { describeModel, initialWeights } from '../engine/model/model.js';
import type { Dataset, Split } from '../data/dataset.js';
import { ChunkDigests, datasetDigest, encodeChunk } from '../data/chunks.js';
import { jobDigest } from '../job/digest.js';
import type { ChunkRef, JobManifest } from '../job/manifest.js';
import { builtinTopology, isModelFile, modelTitle } from '../job/models.js';
import { planSteps, type SampleRange, shardRange, type StepPlan } from '../job/plan.js';
import { describeWarmup } from '../job/schedule.js';
import type { JobSpec } from '../job/spec.js';
import type { ChunkBytes } from './membership/data-service.js';

/** A job ready for training: its manifest for workers, the chunks that they may fetch, and the initial state. */
export interface PreparedJob {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly layout: ModelLayout;
  /** By digest; cleared once no worker fetches any more, because the dataset takes most of the memory. */
  readonly chunks: Map<string, ChunkBytes>;
  readonly initial: { readonly params: Float32Array; readonly state: Float32Array };
  /** Momentum of each running statistic, `[stateCount]`. */
  readonly momentum: Float32Array;
  readonly testLabels: Uint8Array;
  /** Notes for the user about data, model and schedule, one line each. */
  readonly notes: readonly string[];
}

/**
 * Compiles a spec and its data into a job. The compiled spec names the dataset in use, which may be the synthetic one.
 * @throws JobError when spec and data do not fit each other.
 */
export async function prepareJob(wanted: JobSpec, dataset: Dataset, readModel?: ModelReader): Promise<PreparedJob> {
  const { spec, topology, advice } = await compileModel(
    { ...wanted, data: { ...wanted.data, dataset: dataset.name } },
    dataset,
    readModel,
  );
  const plan = planSteps(spec, dataset.train.count);
  const layout = await describeModel(topology);
  const initial = await initialWeights(topology, spec.seed);
  const chunks = new ChunkTable();
  const shards = Array.from({ length: spec.shards }, (_, shard) =>
    chunks.add(dataset.train, shardRange(dataset.train.count, spec.shards, shard)),
  );
  const batches = Math.ceil(dataset.test.count / spec.evaluation.batch);
  const evaluation = Array.from({ length: batches }, (_, batch) => {
    const start = batch * spec.evaluation.batch;
    const count = Math.min(spec.evaluation.batch, dataset.test.count - start);
    return chunks.add(dataset.test, { start, count });
  });
  const digest = datasetDigest(dataset, chunks.digests);
  const arithmetic = arithmeticOf(spec.engine);
  const manifest: JobManifest = {
    digest: jobDigest({ spec, topology, datasetDigest: digest, arithmetic }),
    spec,
    arithmetic,
    topology,
    parameterCount: layout.parameterCount,
    stateCount: layout.stateCount,
    dataset: {
      name: dataset.name,
      title: dataset.title,
      synthetic: dataset.synthetic,
      classes: [...dataset.classes],
      imageShape: [...dataset.imageShape],
      normalise: { mean: [...dataset.normalise.mean], deviation: [...dataset.normalise.deviation] },
      digest,
      trainSamples: dataset.train.count,
      testSamples: dataset.test.count,
    },
    shards,
    evaluation,
  };
  return {
    manifest,
    plan,
    layout,
    chunks: chunks.bytes,
    initial,
    momentum: momentumOf(layout),
    testLabels: dataset.test.labels,
    notes: [
      ...(dataset.notes ?? []).map((note) => `data: ${note}`),
      ...advice,
      ...describeWarmup(spec.schedule, spec.optimizer.learningRate, plan),
    ],
  };
}

/** Reads a model from a file, for a dataset's images. */
export type ModelReader = (file: string, dataset: Dataset) => Promise<ModelTopology>;

interface CompiledModel {
  readonly spec: JobSpec;
  readonly topology: ModelTopology;
  readonly advice: readonly string[];
}

/**
 * The model's topology, and the spec including it, so that a run's spec is complete by itself. A model that isn't built
 * in is compiled once, because it may not be trainable; otherwise each worker in turn would fail on it.
 */
async function compileModel(
  spec: JobSpec,
  dataset: Dataset,
  readModel: ModelReader | undefined,
): Promise<CompiledModel> {
  const { imageShape, classes, normalise } = dataset;
  const isBuiltin = spec.topology === undefined && !(readModel && isModelFile(spec.model));
  if (isBuiltin) return { spec, topology: builtinTopology(spec.model, imageShape, classes.length), advice: [] };
  const topology = spec.topology ?? (await readModel!(spec.model, dataset));
  // It loads the compiler, which the coordinator needs for nothing else.
  const { checkPrograms } = await import('../engine/check-programs.js');
  const advice = await checkPrograms({ topology, imageShape, classes: classes.length, normalise, loss: spec.loss });
  return { spec: { ...spec, model: modelTitle(spec.model), topology }, topology, advice };
}

/** Ranges of splits, keyed by the digests of their bytes, which aren't copied. */
class ChunkTable {
  readonly bytes = new Map<string, ChunkBytes>();
  readonly digests = new ChunkDigests();

  add(split: Split, range: SampleRange): ChunkRef {
    const digest = this.digests.of(split, range);
    this.bytes.set(digest, encodeChunk(split, range));
    return { digest, count: range.count };
  }
}

function momentumOf(layout: ModelLayout): Float32Array {
  const momentum = new Float32Array(layout.stateCount);
  for (const entry of layout.state) momentum.fill(entry.momentum, entry.offset, entry.offset + entry.size);
  return momentum;
}
