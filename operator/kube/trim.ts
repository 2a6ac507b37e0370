import type { KubernetesObject, V1ObjectMeta } from '@kubernetes/client-node';
import { labelKeys } from '../plan/names.js';
import { maxSpec, type MeasuredSpec, type TrainingJob } from '../resource/training-job.js';
import { type Fields, isTooLarge, type Measured, type Selection } from './json-selector.js';
import { apiVersion, jobResource, jobUidLabel, podResource, type Resource } from './resources.js';

/** Annotation with the digest of an object as it was last applied. */
const appliedAnnotation = 'lockstep.dev/applied';

const all = 'all';
const limited = (bytes: number, of: 'all' | Fields = all): Selection => ({ limit: { bytes, levels: 8 }, of });
/** Fields whose length the API server limits. */
const names = { name: all, namespace: all, uid: all, resourceVersion: all, generation: all } as const;
const times = { creationTimestamp: all, deletionTimestamp: all } as const;
/** Six conditions, each with a message of 2048 letters of up to six bytes. */
const maxStatusBytes = 256 * 2 ** 10;
const maxPodStatusBytes = 64 * 2 ** 10;

const jobFields: Fields = {
  metadata: { ...names, ...times },
  spec: { limit: maxSpec, of: { '*': all, topology: 'digest' } },
  status: limited(maxStatusBytes),
};
const childMetadata: Fields = {
  ...names,
  ...times,
  labels: { [jobUidLabel]: limited(256), [labelKeys.attempt]: limited(256), [labelKeys.credentials]: limited(256) },
  annotations: { [appliedAnnotation]: limited(256) },
  ownerReferences: limited(4096, { uid: all, controller: all }),
};
const container = { name: all, ready: all, restartCount: all, state: all, lastState: all } as const;
/** Placement and state of a pod, without its containers, which the operator wrote itself. */
const podFields: Fields = {
  metadata: childMetadata,
  spec: { nodeName: all },
  status: limited(maxPodStatusBytes, {
    ...{ phase: all, reason: all, message: all, podIP: all, startTime: all },
    conditions: { type: all, status: all, reason: all, message: all, lastTransitionTime: all },
    containerStatuses: container,
    initContainerStatuses: container,
  }),
};

/**
 * Fields of an object that are read and cached: those that plans use. Each is bounded, because users choose the contents.
 * A pod shrinks from 8 KiB to 1 KiB; 5,000 pods are most of the operator's memory.
 */
export function selectionOf(resource: Resource): Fields {
  if (resource.kind === jobResource.kind) return jobFields;
  if (resource.kind === podResource.kind) return podFields;
  return { metadata: childMetadata, ...(resource.cached === 'replicas' && { spec: { replicas: all } }) };
}

/** A cached job. Its spec is stored as text, because parsed hostile JSON takes many times its size. */
export interface PackedJob extends KubernetesObject {
  /** Absent once `JobCacheLimit` has dropped it. */
  packedSpec?: string;
  status?: TrainingJob['status'];
}

type Received = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown };

/**
 * Object to cache, from an object read with `selectionOf`. Adds `kind` and `apiVersion`, which lists omit.
 */
export function keep(resource: Resource, { metadata, ...object }: Received): KubernetesObject {
  const head = { apiVersion: apiVersion(resource), kind: resource.kind };
  if (resource.kind === jobResource.kind) return { ...head, ...packJob(object), ...(metadata && { metadata }) };
  const { spec, status } = object;
  return {
    ...head,
    ...(metadata && { metadata: withoutTooLarge(metadata) }),
    ...(spec !== undefined && !isTooLarge(spec) && { spec }),
    ...(status !== undefined && !isTooLarge(status) && { status }),
  };
}

/** Drops owners, labels and annotations beyond their limits, which our objects never exceed. */
function withoutTooLarge(metadata: V1ObjectMeta): V1ObjectMeta {
  const { ownerReferences, labels, annotations, ...rest } = metadata;
  return {
    ...rest,
    ...(ownerReferences && !isTooLarge(ownerReferences) && { ownerReferences }),
    ...(labels && { labels: texts(labels) }),
    ...(annotations && Object.keys(annotations).length > 0 && { annotations: texts(annotations) }),
  };
}

function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'string')) as Record<
    string,
    string
  >;
}

function packJob({ spec = {}, status }: Received): Omit<PackedJob, 'metadata'> {
  const kept =
    status === undefined || isTooLarge(status) ? {} : { status: status as NonNullable<TrainingJob['status']> };
  return { packedSpec: JSON.stringify(spec), ...kept };
}

/** A job for plans: without its topology, whose size and digest are in `measured`. */
export function unpackJob({ packedSpec = '{}', ...job }: PackedJob): TrainingJob {
  const found = JSON.parse(packedSpec) as { readonly topology?: Measured };
  const { topology, ...spec } = isTooLarge(found) ? {} : found;
  const measured: MeasuredSpec = isTooLarge(found) ? found : { ...(topology && { topology }) };
  return { ...job, spec, measured } as TrainingJob;
}
