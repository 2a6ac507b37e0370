import type { KubernetesObject } from '@kubernetes/client-node';
import type { TrainingJob } from '../resource/training-job.js';
import { identityOf, labelKeys, type JobIdentity } from './names.js';
import { timeMs } from './time.js';

/**
 * Credentials of a coordinator's start: the part that names of its Secrets end with. It says which job they are for,
 * which key of the operator they were derived from, and the term in which they were made. As the operator never changes
 * a Secret, other contents need another name.
 */

const dayMs = 86_400_000;
/** Starts of one term share their Secrets. Terms are counted from the job's creation, so none has to be remembered. */
const termMs = 365 * dayMs;
const shape = /^[0-9a-z-]{8}-[0-9a-f]{8}-\d{1,4}$/;
/** Validity of certificates. They are made within their term, so at any start in it two years or more are left. */
export const certificateDays = 1095;

/** Of a start now. @param keyId - of the operator's key. */
export function currentCredentials(job: TrainingJob, keyId: string, nowMs: number): string {
  const ageMs = nowMs - (timeMs(job.metadata.creationTimestamp) ?? nowMs);
  const term = Math.max(0, Math.floor(ageMs / termMs));
  return `${prefixOf(identityOf(job), keyId)}${term}`;
}

/**
 * As a coordinator's pod has them; undefined where an operator before 0.5.5 started it. A label that somebody has
 * changed to anything else names no Secrets.
 */
export function credentialsOf({ metadata }: KubernetesObject): string | undefined {
  const label = metadata?.labels?.[labelKeys.credentials];
  return label !== undefined && shape.test(label) ? label : undefined;
}

/** Whether the operator with this key can call a coordinator that has these credentials. */
export function areDerivedFrom(credentials: string | undefined, job: TrainingJob, keyId: string): boolean {
  return credentials?.startsWith(prefixOf(identityOf(job), keyId)) ?? false;
}

/** So much of the UID that a former job of the same name, whose Secrets may still be there, has other names. */
function prefixOf({ uid }: JobIdentity, keyId: string): string {
  return `${uid.slice(0, 8)}-${keyId}-`;
}
