import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { apiVersion, type Resource } from './resources.js';

/** Annotation with the digest of an object as it was last applied. */
export const appliedAnnotation = 'lockstep.dev/applied';

type Fields = Readonly<Record<string, unknown>>;

/** What is kept of an object of `resource`, however it was received; lists and metadata do not say what it is. */
export function keep(resource: Resource, object: KubernetesObject): KubernetesObject {
  const head = { apiVersion: apiVersion(resource), kind: resource.kind };
  if (resource.cached !== 'metadata') return trim({ ...object, ...head });
  return trim({ ...head, ...(object.metadata && { metadata: object.metadata }) });
}

/**
 * What is kept of an object in memory: all that a plan may look at. A pod of 8 KiB becomes one of 1 KiB; with
 * 5,000 of them that is most of the operator's memory.
 */
function trim(object: KubernetesObject): KubernetesObject {
  const trimmed: KubernetesObject = { ...object, ...(object.metadata && { metadata: trimMetadata(object) }) };
  return object.kind === 'Pod' ? { ...trimmed, ...trimPod(object) } : trimmed;
}

/** Without who wrote which field, and what others noted on our own objects. */
function trimMetadata({ kind, metadata }: KubernetesObject): Fields {
  const kept: Record<string, unknown> = { ...metadata };
  delete kept['managedFields'];
  if (kind === 'TrainingJob') return kept;
  const applied = metadata?.annotations?.[appliedAnnotation];
  delete kept['annotations'];
  return applied === undefined ? kept : { ...kept, annotations: { [appliedAnnotation]: applied } };
}

/** Where it runs and how it is; not what it runs, which the operator wrote itself. */
function trimPod({ spec, status }: V1Pod): Fields {
  const conditionFields = ['type', 'status', 'reason', 'message', 'lastTransitionTime'];
  const containerFields = ['name', 'ready', 'restartCount', 'state', 'lastState'];
  const lists = {
    conditions: status?.conditions?.map((condition) => pick(condition, conditionFields)),
    containerStatuses: status?.containerStatuses?.map((container) => pick(container, containerFields)),
    initContainerStatuses: status?.initContainerStatuses?.map((container) => pick(container, containerFields)),
  };
  const rest = pick(status, ['phase', 'reason', 'message', 'podIP', 'startTime']);
  return { spec: pick(spec, ['nodeName']), status: { ...rest, ...pick(lists, Object.keys(lists)) } };
}

/** The named fields that there are. */
function pick(from: object | undefined, names: readonly string[]): Fields {
  const there = Object.entries(from ?? {}).filter(([name, value]) => value !== undefined && names.includes(name));
  return Object.fromEntries(there);
}
