import type { V1ObjectMeta } from '@kubernetes/client-node';
import { canonicalJson, sha256Hex } from '../../../util/digest.js';
import { apiVersion, kind } from '../../resource/training-job.js';
import { appliedAnnotation, type Component, type JobIdentity, labelsOf } from '../names.js';
import type { Desired } from '../types.js';

/**
 * Metadata of a job's object. The job owns it, so both are deleted together. `blockOwnerDeletion` is off, so the object
 * can't delay the job's deletion.
 */
export function metaOf(job: JobIdentity, name: string, component?: Component): V1ObjectMeta {
  return {
    name,
    namespace: job.namespace,
    labels: labelsOf(job, component),
    ownerReferences: [{ apiVersion, kind, name: job.name, uid: job.uid, controller: true, blockOwnerDeletion: false }],
  };
}

/** Adds an annotation with the object's digest, independent of the order of keys, which the API server changes. */
export function stamped(object: Desired): Desired {
  const digest = sha256Hex(canonicalJson(object)).slice(0, 16);
  const annotations = { ...object.metadata?.annotations, [appliedAnnotation]: digest };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
