import type { KubernetesObject } from '@kubernetes/client-node';
import type { TrainingJob } from '../resource/training-job.js';
import { identityOf, labelKeys, type JobIdentity } from './names.js';
import { timeMs } from './time.js';

/**
 * Credentials of a coordinator's start: the suffix of its Secrets' names. It identifies the job, the operator key that
 * they were derived from, and the term in which they were created. The operator never changes a Secret, so new contents
 * need a new name.
 */

const dayMs = 86_400_000;
/** Starts of one term share their Secrets. Terms are counted from the job's creation, so no state is needed. */
const termMs = 365 * dayMs;
const shape = /^[0-9a-z-]{8}-[0-9a-f]{8}-\d{1,4}$/;
/** Validity of certificates. They are created within their term, so at any start in it two years or more are left. */
export const certificateDays = 1095;

/** Credentials for a start at `nowMs`. @param keyId - id of the operator's key. */
export function currentCredentials(job: TrainingJob, keyId: string, nowMs: number): string {
  const ageMs = nowMs - (timeMs(job.metadata.creationTimestamp) ?? nowMs);
  const term = Math.max(0, Math.floor(ageMs / termMs));
  return `${prefixOf(identityOf(job), keyId)}${term}`;
}

/**
 * Credentials of a coordinator's pod; undefined if an operator before 0.5.5 started it. A tampered label is ignored.
 */
export function credentialsOf({ metadata }: KubernetesObject): string | undefined {
  const label = metadata?.labels?.[labelKeys.credentials];
  return label !== undefined && shape.test(label) ? label : undefined;
}

/** True if the operator with this key can call a coordinator with these credentials. */
export function areDerivedFrom(credentials: string | undefined, job: TrainingJob, keyId: string): boolean {
  return credentials?.startsWith(prefixOf(identityOf(job), keyId)) ?? false;
}

/** Includes enough of the UID to differ from an earlier job of the same name, whose Secrets may still exist. */
function prefixOf({ uid }: JobIdentity, keyId: string): string {
  return `${uid.slice(0, 8)}-${keyId}-`;
}
