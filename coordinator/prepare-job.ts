import { describeModel, initialWeights } from '../engine/model.js';
import type { ModelLayout } from '../engine/engine.js';
import type { Dataset, Split } from '../job/data/dataset.js';
import { datasetDigest, type IndexRange, partBytes, partDigest } from '../job/data/parts.js';
import { jobDigest } from '../job/digest.js';
import type { JobManifest, PartRef } from '../job/manifest.js';
import { builtinTopology } from '../job/models.js';
import { planSteps, type StepPlan } from '../job/plan.js';
import { shardRange } from '../job/shards.js';
import type { JobSpec } from '../job/spec.js';
import type { PartBytes } from './data-service.js';

/** A job ready to be trained: what workers are told, what they may fetch, and where training starts. */
export interface PreparedJob {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly layout: ModelLayout;
  /** By digest; emptied when nobody fetches any more, as the dataset is the largest thing in memory. */
  readonly parts: Map<string, PartBytes>;
  readonly initial: { readonly params: Float32Array; readonly state: Float32Array };
  /** Momentum of each running statistic, `[stateCount]`. */
  readonly momentum: Float32Array;
  readonly testLabels: Uint8Array;
}

/**
 * Compiles a spec and its data into a job. Its spec names the dataset that is really used, stand-in or not.
 * @throws JobError when spec and data do not fit each other.
 */
export async function prepareJob(wanted: JobSpec, dataset: Dataset): Promise<PreparedJob> {
  const spec: JobSpec = { ...wanted, data: { ...wanted.data, dataset: dataset.name } };
  const plan = planSteps(spec, dataset.train.count);
  const topology = builtinTopology(spec.model, dataset.imageShape, dataset.classes.length);
  const layout = await describeModel(topology);
  const initial = await initialWeights(topology, spec.seed);
  const parts = new Map<string, PartBytes>();
  const shards = Array.from({ length: spec.shards }, (_, shard) =>
    addPart(parts, dataset.train, shardRange(dataset.train.count, spec.shards, shard)),
  );
  const batches = Math.ceil(dataset.test.count / spec.evaluation.batch);
  const evaluation = Array.from({ length: batches }, (_, batch) => {
    const start = batch * spec.evaluation.batch;
    const count = Math.min(spec.evaluation.batch, dataset.test.count - start);
    return addPart(parts, dataset.test, { start, count });
  });
  const digest = datasetDigest(dataset);
  const manifest: JobManifest = {
    digest: jobDigest({ spec, topology, datasetDigest: digest }),
    spec,
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
  return { manifest, plan, layout, parts, initial, momentum: momentumOf(layout), testLabels: dataset.test.labels };
}

/** Names a range of a split by the digest of its bytes, which stay where they are. */
function addPart(parts: Map<string, PartBytes>, split: Split, range: IndexRange): PartRef {
  const bytes = partBytes(split, range);
  const digest = partDigest(bytes);
  parts.set(digest, bytes);
  return { digest, count: range.count };
}

function momentumOf(layout: ModelLayout): Float32Array {
  const momentum = new Float32Array(layout.stateCount);
  for (const entry of layout.state) momentum.fill(entry.momentum, entry.offset, entry.offset + entry.size);
  return momentum;
}
