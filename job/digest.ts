import type { ModelTopology } from '../engine/engine.js';
import { canonicalJson, sha256Hex } from '../util/digest.js';
import { digestedSpec } from './job-digest.js';
import type { Slot } from './optimizer.js';
import type { JobSpec } from './spec.js';

/** Everything that training changes, after `step` updates. */
export interface TrainingState {
  readonly step: number;
  readonly params: Float32Array;
  readonly slots: readonly Slot[];
  /** Running statistics. */
  readonly state: Float32Array;
}

/** Digest of everything that determines a job's result; the first entry of the digest chain. */
export function jobDigest(job: {
  readonly spec: JobSpec;
  readonly topology: ModelTopology;
  /** Digest of the dataset's images and labels. */
  readonly datasetDigest: string;
  /** See `JobManifest`; null isn't part of the digest. */
  readonly arithmetic: number | null;
}): string {
  const { spec, topology, datasetDigest: dataset, arithmetic } = job;
  const version = arithmetic === null ? {} : { arithmetic };
  return sha256Hex(canonicalJson({ spec: digestedSpec(spec), topology, dataset, ...version }));
}

/**
 * Digest of a training state. Names and lengths are hashed first, so that different states never hash the same bytes.
 * Floats are hashed in memory order, which is little-endian on every supported platform.
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

/** Next entry of the digest chain. @param previous - the previous epoch's entry, or the job digest. */
export function chainDigest(previous: string, state: string): string {
  return sha256Hex(canonicalJson([previous, state]));
}
