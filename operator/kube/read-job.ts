import type { KubernetesObject } from '@kubernetes/client-node';
import type { TrainingJob } from '../resource/training-job.js';
import { hasCode } from './api-error.js';
import type { Api } from './api.js';
import { jobResource, pathOf } from './resources.js';
import { keep, selectionOf, unpackJob } from './trim.js';

/**
 * Reads a job that the caches have dropped.
 * @param key - `namespace/name`. @returns undefined if it doesn't exist. @throws ApiError
 */
export async function readJob(api: Api, key: string, signal: AbortSignal): Promise<TrainingJob | undefined> {
  const [namespace, name] = key.split('/');
  const path = pathOf(jobResource, namespace, name);
  const read = selectionOf(jobResource);
  try {
    const found = await api.call<KubernetesObject>({ verb: 'get', resource: jobResource.plural, path, read, signal });
    return unpackJob(keep(jobResource, found));
  } catch (error) {
    if (hasCode(error, 404)) return undefined;
    throw error;
  }
}
