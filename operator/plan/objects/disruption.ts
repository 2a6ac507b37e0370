import type { V1PodDisruptionBudget } from '@kubernetes/client-node';
import type { JobContext } from '../job-context.js';
import { type Component, namesOf, selectorOf } from '../names.js';
import type { Desired } from '../types.js';
import { metaOf, stamped } from './meta.js';

/**
 * Limits for drains and autoscalers. Workers may be evicted one at a time, because each loss costs the others work. The
 * coordinator moves only if somebody deletes its pod, and then resumes on another node. Unhealthy pods may always be
 * evicted.
 */
export function disruptionBudgets(context: JobContext): Desired[] {
  // maxUnavailable would be computed from the job's scale, which is the number of workers.
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
