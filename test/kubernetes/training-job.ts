import { type KubernetesObject, PatchStrategy } from '@kubernetes/client-node';
import type { TrainingJob, TrainingJobSpec } from '../../operator/resource/training-job.js';
import type { ApiClient, ObjectName } from './api-client.js';

const apiVersion = 'lockstep.dev/v1alpha1';
const kind = 'TrainingJob';

/** Every kind of object that a job may own. */
const childKinds: readonly (readonly [apiVersion: string, kind: string])[] = [
  ['v1', 'Pod'],
  ['apps/v1', 'Deployment'],
  ['v1', 'Service'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'PersistentVolumeClaim'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
];

export function trainingJob(name: string, spec: TrainingJobSpec = {}, namespace = 'default'): TrainingJob {
  return { apiVersion, kind, metadata: { name, namespace }, spec: { preset: 'cluster-cnn3', ...spec } };
}

export function jobName(name: string, namespace = 'default'): ObjectName {
  return { apiVersion, kind, metadata: { name, namespace } };
}

/** Merges `spec` into a job's, as `kubectl patch` does. */
export async function patchJob(client: ApiClient, name: string, spec: object, namespace = 'default'): Promise<void> {
  const patch: KubernetesObject & { spec: object } = { ...jobName(name, namespace), spec };
  const no = undefined;
  await client.objects.patch(patch, no, no, no, no, PatchStrategy.MergePatch);
}

/** All objects of a namespace that the operator, or a controller on its behalf, made for jobs. */
export async function listChildren(
  client: ApiClient,
  namespace = 'default',
  selector = '',
): Promise<KubernetesObject[]> {
  const managed = ['app.kubernetes.io/managed-by=lockstep-operator', selector].filter((part) => part !== '').join(',');
  const lists = await Promise.all(
    childKinds.map(async ([version, kind]) =>
      (await client.list(version, kind, namespace, managed)).map((object) => ({ ...object, kind })),
    ),
  );
  return lists.flat();
}

/** "Kind/name" of each, sorted. */
export function namesOf(objects: readonly KubernetesObject[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind}/${metadata?.name}`).sort();
}
