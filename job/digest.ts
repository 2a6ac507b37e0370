import type { ModelTopology } from '../engine/engine.js';
import { canonicalJson, sha256Hex } from '../util/digest.js';
import { specIdentity } from './job-digest.js';
import type { Slot } from './optimizer.js';
import type { JobSpec } from './spec.js';

/** All that training changes, after `step` updates. */
export interface TrainingState {
  readonly step: number;
  readonly params: Float32Array;
  readonly slots: readonly Slot[];
  /** Running statistics. */
  readonly state: Float32Array;
}

/** Identity of a job: everything its result is a function of. The digest chain begins with it. */
export function jobDigest(job: {
  readonly spec: JobSpec;
  readonly topology: ModelTopology;
  /** Digest of the dataset's images and labels. */
  readonly datasetDigest: string;
}): string {
  return sha256Hex(canonicalJson({ spec: specIdentity(job.spec), topology: job.topology, dataset: job.datasetDigest }));
}

/**
 * Digest of all that training changes. The lengths and names go in first, so that no two states share their bytes.
 * Floats are hashed in memory order, which is little-endian on every platform that Lockstep supports.
 */
export function stateDigest({ step, params, slots, state }: TrainingState): string {
  const header = canonicalJson({
    step,
    params: params.length,
    slots: slots.map(({ name, values }) => ({ name, length: values.length })),
    state: state.length,
  });
  return sha256Hex(header, '\n', params, ...slots.map((slot) => slot.values), state);
}

/** The next link of the chain: `previous` is the epoch before's link, or the job digest; `state` a state digest. */
export function chainDigest(previous: string, state: string): string {
  return sha256Hex(canonicalJson([previous, state]));
}
