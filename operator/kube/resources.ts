import { group, kind, plural, version } from '../resource/training-job.js';

/** A kind of object that the operator reads or writes. */
export interface Resource {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** Cached part of an object: as in `selectionOf`, the replicas, or only the metadata. */
  readonly cached: 'object' | 'replicas' | 'metadata' | 'never';
}

/** Label of all objects created by the operator; its watches select by it. */
export const managedBy = { label: 'app.kubernetes.io/managed-by', value: 'lockstep-operator' };
/** Label with the UID of an object's job; identifies worker pods, whose owner is a ReplicaSet. */
export const jobUidLabel = 'lockstep.dev/job-uid';

const core = { group: '', version: 'v1' };
const apps = { group: 'apps', version: 'v1' };
const policy = { group: 'policy', version: 'v1' };
const networking = { group: 'networking.k8s.io', version: 'v1' };

export const jobResource: Resource = { group, version, kind, plural, cached: 'object' };
export const podResource: Resource = { ...core, kind: 'Pod', plural: 'pods', cached: 'object' };
export const secretResource: Resource = { ...core, kind: 'Secret', plural: 'secrets', cached: 'never' };
export const eventResource: Resource = { ...core, kind: 'Event', plural: 'events', cached: 'never' };
export const leaseResource: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  cached: 'never',
};

/** Objects of a job except its Secrets. The operator may only create those: read access would cover everyone's. */
export const childResources: readonly Resource[] = [
  podResource,
  { ...apps, kind: 'Deployment', plural: 'deployments', cached: 'replicas' },
  { ...core, kind: 'Service', plural: 'services', cached: 'metadata' },
  { ...core, kind: 'ConfigMap', plural: 'configmaps', cached: 'metadata' },
  { ...core, kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', cached: 'metadata' },
  { ...policy, kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets', cached: 'metadata' },
  { ...networking, kind: 'NetworkPolicy', plural: 'networkpolicies', cached: 'metadata' },
];

const all = [jobResource, secretResource, eventResource, leaseResource, ...childResources];
const byKind = new Map(all.map((resource) => [resource.kind, resource]));

/** @throws Error unless the operator manages this kind. */
export function resourceOf(kind: string): Resource {
  const resource = byKind.get(kind);
  if (!resource) throw new Error(`internal: resource: expected one of ${[...byKind.keys()].join(', ')}, got ${kind}`);
  return resource;
}

export function apiVersion({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Path of a collection, or of the object `name` in it. @param namespace - undefined: all namespaces. */
export function pathOf(resource: Resource, namespace: string | undefined, name?: string, subresource?: string): string {
  const root = resource.group === '' ? '/api' : `/apis/${resource.group}`;
  const within = namespace === undefined ? [] : ['namespaces', namespace];
  const parts = [...within, resource.plural, name, subresource].filter((part) => part !== undefined);
  return [root, resource.version, ...parts.map(encodeURIComponent)].join('/');
}
