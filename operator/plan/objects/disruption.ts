import type { V1PodDisruptionBudget } from '@kubernetes/client-node';
import type { JobContext } from '../job-context.js';
import { type Component, namesOf, selectorOf } from '../names.js';
import type { Desired } from '../types.js';
import { metaOf, stamped } from './meta.js';

/**
 * What drains and autoscalers may take: workers one at a time, as each loss costs the others work; the coordinator only
 * when somebody deletes its pod on purpose, upon which it goes on elsewhere. Pods that are not well may always go.
 */
export function disruptionBudgets(context: JobContext): Desired[] {
  // Not maxUnavailable for the coordinator: it would be counted against the job's scale, which is that of the workers.
  return [budget(context, 'coordinator', { minAvailable: 1 }), budget(context, 'worker', { maxUnavailable: 1 })];
}

function budget(
  { identity }: JobContext,
  component: Component,
  limit: { readonly minAvailable: number } | { readonly maxUnavailable: number },
): Desired {
  const object = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metaOf(identity, namesOf(identity)[component], component),
    spec: {
      ...limit,
      selector: { matchLabels: selectorOf(identity, component) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  } satisfies V1PodDisruptionBudget;
  return stamped(object);
}
