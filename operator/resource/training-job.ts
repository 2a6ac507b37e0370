import type { V1ObjectMeta } from '@kubernetes/client-node';
import type { JobSpecInput } from '../../job/spec.js';
import type { OperatorFieldsInput } from './operator-fields.js';
import type { TrainingJobStatus } from './status.js';

/** Size limit of a spec as JSON, without its topology. One with a full pod template has a few thousand bytes. */
export const maxSpec = { bytes: 32 * 2 ** 10, levels: 24 };

export const group = 'lockstep.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;
export const kind = 'TrainingJob';
export const plural = 'trainingjobs';

/** `spec` as written by users: the job spec without its name, which is the resource's, and the operator's fields. */
export type TrainingJobSpec = Partial<Omit<JobSpecInput, 'name' | 'topology'>> & OperatorFieldsInput;

/** Measurements of a spec that the operator doesn't store in full. */
export interface MeasuredSpec {
  /** Set if the spec exceeds `maxSpec`; then none of it is stored. */
  readonly tooLarge?: { readonly bytes: number; readonly levels: number };
  /** Absent if the spec has none. */
  readonly topology?: MeasuredTopology;
}

export interface MeasuredTopology {
  /** `string`, unless an older version created the job. */
  readonly type: 'string' | 'object' | 'array' | 'other';
  /** Bytes of the topology's JSON string, including quotes and escapes. */
  readonly bytes: number;
  /** Digest of the same, hexadecimal. */
  readonly sha256: string;
}

/** A job as stored by the API server. Only fields with a default in the CRD are always present. */
export interface TrainingJob {
  readonly apiVersion: typeof apiVersion;
  readonly kind: typeof kind;
  readonly metadata: V1ObjectMeta;
  readonly spec: TrainingJobSpec;
  /** Set on cached jobs, whose spec has no topology; never in the API. */
  readonly measured?: MeasuredSpec | undefined;
  readonly status?: TrainingJobStatus | undefined;
}
