import { createHash } from 'node:crypto';
import type { ModelTopology } from '../engine/engine.js';
import { InvariantError } from './errors.js';
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

/** SHA-256 of the concatenated parts, in hexadecimal; strings as UTF-8, arrays as their bytes in memory. */
export function sha256Hex(...parts: readonly (string | NodeJS.ArrayBufferView)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/**
 * JSON with sorted keys and without white space, so equal values give equal text (the scheme of RFC 8785). Properties
 * that are undefined are left out, as JSON.stringify does.
 * @throws InvariantError on what JSON cannot say: NaN, infinities, functions, class instances.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isPlainObject(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    return `{${keys
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`)
      .join(',')}}`;
  }
  throw new InvariantError(`canonical JSON: expected a JSON value, got ${typeof value}`);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
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
