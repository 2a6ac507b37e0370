import type { V1ObjectMeta } from '@kubernetes/client-node';
import type { JobSpecInput } from '../../../job/spec.js';
import type { OperatorFieldsInput } from './operator-fields.js';
import type { TrainingJobStatus } from './status.js';

export const group = 'lockstep.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;
export const kind = 'TrainingJob';
export const plural = 'trainingjobs';

/** `spec` as a user writes it: the job spec without its name, which is the resource's, and the operator's fields. */
export type TrainingJobSpec = Partial<Omit<JobSpecInput, 'name'>> & OperatorFieldsInput;

/** A job as the API server holds it: what was never written is absent, what has a default in the CRD is there. */
export interface TrainingJob {
  readonly apiVersion: typeof apiVersion;
  readonly kind: typeof kind;
  readonly metadata: V1ObjectMeta;
  readonly spec: TrainingJobSpec;
  readonly status?: TrainingJobStatus | undefined;
}
