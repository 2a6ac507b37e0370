import { epochOf, samplesInStep, type StepPlan } from '../../job/plan.js';

/** One shard of one step. */
export interface ShardStep {
  readonly shard: number;
  readonly step: number;
}

/**
 * The step after the newest checkpoint that the run has continued from, and the first shard with samples in it.
 *
 * @param checkpoints - committed updates of each checkpoint.
 * @param committed - committed updates of the run.
 * @returns undefined before the first step after a checkpoint.
 */
export function chooseShard(plan: StepPlan, checkpoints: readonly number[], committed: number): ShardStep | undefined {
  const step = Math.max(...checkpoints.filter((checkpoint) => checkpoint < committed));
  if (step < 0) return undefined;
  const { stepInEpoch } = epochOf(plan, step);
  const shard = plan.shardSizes.findIndex((_, i) => samplesInStep(plan, i, stepInEpoch).count > 0);
  return { shard, step };
}
