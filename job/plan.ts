import { JobError } from './errors.js';
import type { JobManifest } from './manifest.js';
import type { JobSpec } from './spec.js';

/** Consecutive samples. */
export interface SampleRange {
  readonly start: number;
  readonly count: number;
}

/**
 * Samples of the training set that belong to `shard`.
 *
 * Shards are disjoint and cover the training set; their sizes differ by at most one. If their number is a multiple of 5,
 * no shard spans two of CIFAR-10's training batches.
 */
export function shardRange(samples: number, shards: number, shard: number): SampleRange {
  const start = Math.floor((shard * samples) / shards);
  const end = Math.floor(((shard + 1) * samples) / shards);
  return { start, count: end - start };
}

/** Division of an epoch into steps. A function of the spec and the length of the training set alone. */
export interface StepPlan {
  readonly shardSizes: readonly number[];
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly batch: { readonly perShard: number } | { readonly global: number; readonly turns: readonly number[] };
}

/**
 * Divides the epochs into steps.
 *
 * `batchPerShard`: every shard contributes that many samples to each step, fewer to its last step (10,000 = 204 · 49 + 4).
 * `globalBatch`: the shards contribute one sample each in turn (round-robin), longer shards first; a step takes the next
 * `globalBatch` samples. Counts of shards differ by at most one in every step, the remainder rotates (49 over five
 * shards: 10 + 10 + 10 + 10 + 9), and all shards are exhausted in the same step.
 * Only in an epoch's last step may a shard contribute no sample.
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

/** Step plan of a compiled job. */
export function manifestPlan({ spec, dataset }: JobManifest): StepPlan {
  return planSteps(spec, dataset.trainSamples);
}

function cutEpoch(
  spec: Pick<JobSpec, 'batchPerShard' | 'globalBatch'>,
  trainSamples: number,
  shardSizes: readonly number[],
): Pick<StepPlan, 'batch' | 'stepsPerEpoch'> {
  if (spec.globalBatch !== undefined) {
    const batch = { global: spec.globalBatch, turns: roundRobinTurns(shardSizes) };
    return { batch, stepsPerEpoch: Math.ceil(trainSamples / spec.globalBatch) };
  }
  if (spec.batchPerShard === undefined) {
    throw new JobError('BAD_SPEC', 'plan: expected batchPerShard or globalBatch, got neither; set one of them');
  }
  const batch = { perShard: spec.batchPerShard };
  return { batch, stepsPerEpoch: Math.ceil(Math.max(...shardSizes) / spec.batchPerShard) };
}

/** Turn of each shard in a round: longer shards first, because only they take part in the last, incomplete round. */
function roundRobinTurns(shardSizes: readonly number[]): number[] {
  const byLength = shardSizes.map((_, shard) => shard).sort((a, b) => shardSizes[b]! - shardSizes[a]! || a - b);
  const turns = new Array<number>(shardSizes.length);
  byLength.forEach((shard, turn) => (turns[shard] = turn));
  return turns;
}

/**
 * Samples that `shard` contributes to step `stepInEpoch`: a range of its sample order in that epoch.
 *
 * Over all steps of an epoch the ranges are disjoint and cover the shard.
 */
export function samplesInStep(plan: StepPlan, shard: number, stepInEpoch: number): SampleRange {
  const start = samplesBefore(plan, shard, stepInEpoch);
  return { start, count: samplesBefore(plan, shard, stepInEpoch + 1) - start };
}

/** Samples that `shard` has contributed before step `stepInEpoch`. */
function samplesBefore(plan: StepPlan, shard: number, stepInEpoch: number): number {
  const size = plan.shardSizes[shard]!;
  if ('perShard' in plan.batch) return Math.min(stepInEpoch * plan.batch.perShard, size);
  const total = stepInEpoch * plan.batch.global;
  const contributed = Math.ceil((total - plan.batch.turns[shard]!) / plan.shardSizes.length);
  return Math.min(Math.max(contributed, 0), size);
}

/** Samples of all shards together in step `stepInEpoch`. */
export function globalSamples(plan: StepPlan, stepInEpoch: number): number {
  return plan.shardSizes.reduce((sum, _, shard) => sum + samplesInStep(plan, shard, stepInEpoch).count, 0);
}

/**
 * Batch sizes of the training programs that the run needs, largest first.
 *
 * All distinct counts occur in an epoch's first and last step.
 */
export function batchSizes(plan: StepPlan): number[] {
  const steps = [0, plan.stepsPerEpoch - 1];
  const counts = steps.flatMap((step) => plan.shardSizes.map((_, shard) => samplesInStep(plan, shard, step).count));
  return [...new Set(counts)].filter((count) => count > 0).sort((a, b) => b - a);
}

/** Current epoch of a run with `step` committed updates, from 1; the last epoch when the run is complete. */
export function epochInProgress(plan: Pick<StepPlan, 'stepsPerEpoch' | 'epochs'>, step: number): number {
  return Math.min(epochOf(plan, step).epoch + 1, plan.epochs);
}

/** Epoch of `step`, from 0, and the step's index in it. */
export function epochOf(
  plan: Pick<StepPlan, 'stepsPerEpoch'>,
  step: number,
): { readonly epoch: number; readonly stepInEpoch: number } {
  return { epoch: Math.floor(step / plan.stepsPerEpoch), stepInEpoch: step % plan.stepsPerEpoch };
}
