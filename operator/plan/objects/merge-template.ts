import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import type { OperatorFields } from '../../resource/operator-fields.js';

type Section = Readonly<Record<string, unknown>>;

/** Merge keys of lists. Other lists are replaced as a whole. */
const keys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  imagePullSecrets: 'name',
  volumeMounts: 'mountPath',
};

/**
 * Merges a user's overrides into a pod template: sections key by key, the lists above element by element. Tolerations are
 * appended; everything else is replaced. A subset of Kubernetes' strategic merge, without directives.
 */
export function mergeTemplate(
  template: V1PodTemplateSpec,
  over: OperatorFields['workers']['template'],
): V1PodTemplateSpec {
  return over === undefined ? template : (merge(template, over) as V1PodTemplateSpec);
}

function merge(base: unknown, over: unknown, name = ''): unknown {
  if (Array.isArray(base) && Array.isArray(over)) return mergeLists(base, over, name);
  if (!isSection(base) || !isSection(over)) return over;
  const changed = Object.entries(over).map(([key, value]): [string, unknown] => [key, merge(base[key], value, key)]);
  return { ...base, ...Object.fromEntries(changed) };
}

function mergeLists(base: readonly unknown[], over: readonly unknown[], name: string): unknown[] {
  if (name === 'tolerations') return [...base, ...over];
  const key = keys[name];
  if (key === undefined) return [...over];
  const keyOf = (element: unknown) => (isSection(element) ? element[key] : undefined);
  const find = (list: readonly unknown[], wanted: unknown) =>
    list.find((element) => wanted !== undefined && keyOf(element) === wanted);
  const kept = base.map((element) => {
    const override = find(over, keyOf(element));
    return override === undefined ? element : merge(element, override);
  });
  return [...kept, ...over.filter((element) => find(base, keyOf(element)) === undefined)];
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
