import type { TrainingJob } from '../resource/training-job.js';
import { ApiError } from './api-error.js';
import type { Api } from './api.js';
import type { Measured } from './json-selector.js';
import { jobResource, pathOf } from './resources.js';

interface Found {
  readonly metadata?: { readonly uid?: string };
  readonly spec?: { readonly topology?: Measured };
}

/**
 * Reads a job's topology, which the operator doesn't store.
 * @param sha256 - measured when the job was planned.
 * @throws ApiError if the job has changed since.
 */
export async function readTopology(api: Api, job: TrainingJob, sha256: string, signal: AbortSignal): Promise<string> {
  const { namespace, name, uid } = job.metadata;
  const read = { metadata: { uid: 'all' }, spec: { topology: 'text' } } as const;
  const path = pathOf(jobResource, namespace, name);
  const found = await api.call<Found>({ verb: 'get', resource: jobResource.plural, path, read, signal });
  const topology = found.spec?.topology;
  if (found.metadata?.uid === uid && topology?.text !== undefined && topology.sha256 === sha256) {
    return JSON.parse(topology.text) as string;
  }
  const expected = `the topology of digest ${sha256.slice(0, 12)}`;
  const got = topology?.sha256.slice(0, 12) ?? 'none';
  throw new ApiError(`get ${path}: expected ${expected}, got ${got}; the job has changed`, 409, 'Changed');
}
