import { augmentInto } from './augment.js';
import type { JobManifest } from './manifest.js';
import { epochOf, shardRange, type StepPlan } from './plan.js';

/** A shard's samples of one step, augmented. */
export interface ShardBatch {
  /** u8 `[samples, H, W, C]` */
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** A shard's data, and the samples of it that belong to a step. */
export interface ShardSamples {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly shard: number;
  readonly step: number;
  /** Indices within the shard. */
  readonly samples: Uint32Array;
}

/** Copies a shard's samples of a step out of its data. */
export function gatherBatch(
  { spec, dataset, shards }: JobManifest,
  plan: Pick<StepPlan, 'stepsPerEpoch'>,
  { images: from, labels, shard, step, samples }: ShardSamples,
): ShardBatch {
  const { imageShape, trainSamples } = dataset;
  const imageBytes = imageShape.reduce((a, b) => a * b);
  const first = shardRange(trainSamples, shards.length, shard).start;
  const { epoch } = epochOf(plan, step);
  const images = new Uint8Array(samples.length * imageBytes);
  samples.forEach((sample, i) => {
    const [imageOffset, targetOffset] = [sample * imageBytes, i * imageBytes];
    const copy = { images: from, imageOffset, target: images, targetOffset, imageShape };
    augmentInto(copy, spec.data.augment, { seed: spec.seed, epoch, globalIndex: first + sample });
  });
  return { images, labels: Int32Array.from(samples, (sample) => labels[sample]!) };
}
