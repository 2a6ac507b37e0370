import { createHash } from 'node:crypto';
import type { V1ObjectMeta } from '@kubernetes/client-node';
import { apiVersion, kind } from '../../resource/training-job.js';
import { appliedAnnotation, type Component, type JobIdentity, labelsOf } from '../names.js';
import type { Desired } from '../types.js';

/**
 * Metadata of a job's object. The job owns it, so that it goes with the job; `blockOwnerDeletion` is off, so that
 * nothing can hold up the job's own deletion.
 */
export function metaOf(job: JobIdentity, name: string, component?: Component): V1ObjectMeta {
  return {
    name,
    namespace: job.namespace,
    labels: labelsOf(job, component),
    ownerReferences: [{ apiVersion, kind, name: job.name, uid: job.uid, controller: true, blockOwnerDeletion: false }],
  };
}

/** The object with the digest of what it says in an annotation. */
export function stamped(object: Desired): Desired {
  const digest = createHash('sha256').update(canonical(object)).digest('hex').slice(0, 16);
  const annotations = { ...object.metadata?.annotations, [appliedAnnotation]: digest };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** JSON with sorted keys: an object from the API server has them in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
