import { JobError } from './errors.js';
import type { JobManifest } from './manifest.js';
import { shardRange, type SampleRange } from './shards.js';
import type { JobSpec } from './spec.js';

/** How an epoch is cut into steps. A function of the spec and the length of the training set alone. */
export interface StepPlan {
  readonly shardSizes: readonly number[];
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly batch: { readonly perShard: number } | { readonly global: number; readonly places: readonly number[] };
}

/**
 * Cuts the training set's epochs into steps.
 *
 * `batchPerShard`: every shard contributes that many samples to each step, fewer to its last (10,000 = 204 · 49 + 4).
 * `globalBatch`: samples are dealt to the shards like cards, the longer shards first, and a step is the next
 * `globalBatch` cards. So in every step the shards' counts differ by one at most, the remainder moves from shard to
 * shard, and all shards are exhausted by the same step (49 over five: 10+10+10+10+9, the 9 moving).
 * Only in the last step of an epoch may a shard contribute no sample.
 * @throws JobError BAD_SPEC when there are more shards than samples.
 */
export function planSteps(
  spec: Pick<JobSpec, 'shards' | 'epochs' | 'batchPerShard' | 'globalBatch'>,
  trainSamples: number,
): StepPlan {
  if (trainSamples < spec.shards) {
    throw new JobError(
      'BAD_SPEC',
      `plan: expected at least one training image per shard, got ${trainSamples} images for ${spec.shards} shards; ` +
        'lower shards',
    );
  }
  const shardSizes = Array.from({ length: spec.shards }, (_, s) => shardRange(trainSamples, spec.shards, s).count);
  const { batch, stepsPerEpoch } = cutEpoch(spec, trainSamples, shardSizes);
  return { shardSizes, epochs: spec.epochs, stepsPerEpoch, totalSteps: stepsPerEpoch * spec.epochs, batch };
}

/** The plan of a compiled job. */
export function manifestPlan({ spec, dataset }: JobManifest): StepPlan {
  return planSteps(spec, dataset.trainSamples);
}

function cutEpoch(
  spec: Pick<JobSpec, 'batchPerShard' | 'globalBatch'>,
  trainSamples: number,
  shardSizes: readonly number[],
): Pick<StepPlan, 'batch' | 'stepsPerEpoch'> {
  if (spec.globalBatch !== undefined) {
    const batch = { global: spec.globalBatch, places: placesInDeal(shardSizes) };
    return { batch, stepsPerEpoch: Math.ceil(trainSamples / spec.globalBatch) };
  }
  if (spec.batchPerShard === undefined) throw new JobError('BAD_SPEC', 'plan: expected batchPerShard or globalBatch');
  const batch = { perShard: spec.batchPerShard };
  return { batch, stepsPerEpoch: Math.ceil(Math.max(...shardSizes) / spec.batchPerShard) };
}

/** Each shard's place in a round of the deal: longer shards first, so that the last, incomplete round is theirs. */
function placesInDeal(shardSizes: readonly number[]): number[] {
  const order = shardSizes.map((_, shard) => shard).sort((a, b) => shardSizes[b]! - shardSizes[a]! || a - b);
  const places = new Array<number>(shardSizes.length);
  order.forEach((shard, place) => (places[shard] = place));
  return places;
}

/**
 * The samples that `shard` contributes to step `stepInEpoch`, as a range of the shard's order in that epoch.
 *
 * Over all steps of an epoch the ranges are disjoint and cover the shard.
 */
export function samplesInStep(plan: StepPlan, shard: number, stepInEpoch: number): SampleRange {
  const start = samplesBefore(plan, shard, stepInEpoch);
  return { start, count: samplesBefore(plan, shard, stepInEpoch + 1) - start };
}

/** How many of its samples `shard` has contributed when step `stepInEpoch` begins. */
function samplesBefore(plan: StepPlan, shard: number, stepInEpoch: number): number {
  const size = plan.shardSizes[shard]!;
  if ('perShard' in plan.batch) return Math.min(stepInEpoch * plan.batch.perShard, size);
  const dealt = stepInEpoch * plan.batch.global;
  const ownCards = Math.ceil((dealt - plan.batch.places[shard]!) / plan.shardSizes.length);
  return Math.min(Math.max(ownCards, 0), size);
}

/** Samples of all shards together in step `stepInEpoch`. */
export function globalSamples(plan: StepPlan, stepInEpoch: number): number {
  return plan.shardSizes.reduce((sum, _, shard) => sum + samplesInStep(plan, shard, stepInEpoch).count, 0);
}

/**
 * The sizes of the training programs that the run needs, largest first: all counts > 0 that occur.
 *
 * Only an epoch's first and last step are looked at: in all the others the shards' counts are those of the first.
 */
export function batchSizes(plan: StepPlan): number[] {
  const ends = [0, plan.stepsPerEpoch - 1];
  const counts = ends.flatMap((step) => plan.shardSizes.map((_, shard) => samplesInStep(plan, shard, step).count));
  return [...new Set(counts)].filter((count) => count > 0).sort((a, b) => b - a);
}

/** The epoch that a run with `step` committed updates works on, from 1; the last one when it is done. */
export function epochInProgress(plan: Pick<StepPlan, 'stepsPerEpoch' | 'epochs'>, step: number): number {
  return Math.min(epochOf(plan, step).epoch + 1, plan.epochs);
}

/** The epoch that `step` belongs to, from 0, and its place therein. */
export function epochOf(
  plan: Pick<StepPlan, 'stepsPerEpoch'>,
  step: number,
): { readonly epoch: number; readonly stepInEpoch: number } {
  return { epoch: Math.floor(step / plan.stepsPerEpoch), stepInEpoch: step % plan.stepsPerEpoch };
}
