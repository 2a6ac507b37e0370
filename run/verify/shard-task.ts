import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Split } from '../../data/dataset.js';
import { arithmeticVersion } from '../../engine/arithmetic.js';
import type { JobManifest } from '../../job/manifest.js';
import { shardRange, type StepPlan } from '../../job/plan.js';
import { sampleIndices } from '../../job/samples.js';
import { gatherBatch, type ShardBatch } from '../../job/shard-batch.js';
import { checkpointSteps } from '../checkpoint/checkpoint-decisions.js';
import { chooseShard, type ShardStep } from './choose-shard.js';

/** A shard of a step to compute again, with its samples. The parameters are in the run's checkpoint of that step. */
export interface ShardTask extends ShardStep {
  /** Run directory. */
  readonly run: string;
  /** Indices in the training set, in the order of the batch. */
  readonly samples: Uint32Array;
  readonly batch: ShardBatch;
}

/** A run, possibly in progress. */
export interface VerifiableRun {
  /** Run directory. */
  readonly path: string;
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  /** Committed updates. */
  readonly committed: number;
  /** Data of a training shard; undefined if it is no longer in memory. */
  readonly trainShard: (shard: number) => Split | undefined;
}

/** Why a run offers nothing to verify. */
export interface NothingToVerify {
  readonly reason: string;
}

/** Chooses a shard of a step that the run has computed, and gathers its samples; or gives the reason why there is none. */
export async function prepareShardTask(run: VerifiableRun): Promise<ShardTask | NothingToVerify> {
  const { path, manifest, plan, committed } = run;
  if (manifest.arithmetic !== arithmeticVersion) {
    return { reason: `the run's engine doesn't compute by Lockstep's arithmetic ${arithmeticVersion}` };
  }
  const checkpoints = checkpointSteps(await readdir(join(path, 'checkpoints')).catch(() => []));
  const chosen = chooseShard(plan, checkpoints, committed);
  if (!chosen) return { reason: 'the run has no step after a checkpoint yet' };
  const { shard, step } = chosen;
  const data = run.trainShard(shard);
  if (!data) return { reason: 'the training images are no longer in memory' };
  const samples = sampleIndices(plan, manifest.spec.seed, shard, step);
  const first = shardRange(manifest.dataset.trainSamples, manifest.shards.length, shard).start;
  const batch = gatherBatch(manifest, plan, { ...data, shard, step, samples });
  return { run: path, shard, step, samples: samples.map((sample) => first + sample), batch };
}
