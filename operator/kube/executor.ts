import type { KubernetesObject } from '@kubernetes/client-node';
import type { Action, Desired, ObjectName, TakenName } from '../plan/types.js';
import type { TrainingJob } from '../resource/training-job.js';
import type { TrainingJobStatus } from '../resource/status.js';
import { ApiError, hasCode } from './api-error.js';
import type { Api } from './api.js';
import type { Caches } from './caches.js';
import type { Events } from './events.js';
import { fieldManager } from './field-manager.js';
import { ownerOf } from './object-cache.js';
import { readJob } from './read-job.js';
import { readTopology } from './read-topology.js';
import { jobResource, pathOf, type Resource, resourceOf } from './resources.js';
import type { Secrets } from './secrets.js';
import { selectionOf } from './trim.js';

type Write = Extract<Action, { readonly type: 'create' | 'apply' }>;

/** Time until a name that was found in use is tried again. */
const takenMs = 10_000;

export interface ExecutorParts {
  readonly api: Api;
  readonly caches: Caches;
  readonly secrets: Secrets;
  readonly events: Events;
}

/**
 * Executes a plan's actions. Responses are stored in the caches, so the next plan sees them before the watch delivers them.
 */
export class Executor {
  readonly #taken = new Map<string, { readonly names: TakenName; readonly untilMs: number }[]>();

  constructor(
    private readonly parts: ExecutorParts,
    /** Aborted when this process must no longer act. */
    private readonly signal: AbortSignal,
  ) {}

  /** @throws ApiError if the action failed; events never fail. */
  async execute(job: TrainingJob, action: Exclude<Action, { type: 'checkpoint' }>): Promise<void> {
    this.signal.throwIfAborted();
    switch (action.type) {
      case 'create':
        return this.#create(job, await this.#complete(job, action));
      case 'apply':
        return this.#apply(job, await this.#complete(job, action));
      case 'delete':
        return this.#delete(job, action);
      case 'secrets':
        return this.parts.secrets.ensure(job, action);
      case 'event':
        return this.parts.events.write(job, action, this.signal);
      default:
        action satisfies never;
    }
  }

  /** Writes a status. @throws ApiError Conflict if the job has changed since it was read, so the plan is stale. */
  async writeStatus(job: TrainingJob, status: TrainingJobStatus): Promise<void> {
    const { namespace, name } = job.metadata;
    const path = pathOf(jobResource, namespace, name, 'status');
    const query = { fieldManager };
    const { apiVersion, kind, metadata } = job;
    // The API server ignores the rest, and the cached spec is incomplete.
    const body = { apiVersion, kind, metadata, status };
    const resource = `${jobResource.plural}/status`;
    const request = { verb: 'update', resource, path, query, body, signal: this.signal } as const;
    const reply = await this.parts.api.call({ ...request, read: selectionOf(jobResource) });
    this.parts.caches.put(jobResource, reply);
  }

  /** Reads a job that the caches have dropped. @returns undefined if it no longer exists. @throws ApiError */
  readJob(key: string): Promise<TrainingJob | undefined> {
    return readJob(this.parts.api, key, this.signal);
  }

  /** Names recently found in use by objects of other owners. */
  taken(job: TrainingJob): readonly TakenName[] {
    const uid = job.metadata.uid ?? '';
    const valid = (this.#taken.get(uid) ?? []).filter(({ untilMs }) => untilMs > performance.now());
    if (valid.length === 0) this.#taken.delete(uid);
    else this.#taken.set(uid, valid);
    return valid.map(({ names }) => names);
  }

  /** @param uid - UID of a deleted job. */
  forget(uid: string): void {
    this.#taken.delete(uid);
  }

  /** Object to write, with its topology if it has one. */
  async #complete(job: TrainingJob, { object, topology }: Write): Promise<Desired> {
    if (topology === undefined) return object;
    const text = await readTopology(this.parts.api, job, topology.sha256, this.signal);
    const { data } = object as { readonly data?: Readonly<Record<string, string>> };
    return { ...object, data: { ...data, [topology.file]: text } } as Desired;
  }

  async #create(job: TrainingJob, object: Desired): Promise<void> {
    const resource = resourceOf(object.kind);
    const { namespace } = job.metadata;
    const read = selectionOf(resource);
    const request = { resource: resource.plural, query: { fieldManager }, read, signal: this.signal };
    try {
      const path = pathOf(resource, namespace);
      this.parts.caches.put(resource, await this.parts.api.call({ ...request, verb: 'create', path, body: object }));
    } catch (error) {
      if (!hasCode(error, 409) || error.reason !== 'AlreadyExists') throw error;
      await this.#checkOwner(job, resource, object.metadata?.name ?? '');
    }
  }

  /** Handles a name in use: caches the object if the job owns it, else records the name as taken. */
  async #checkOwner(job: TrainingJob, resource: Resource, name: string): Promise<void> {
    const uid = job.metadata.uid ?? '';
    const path = pathOf(resource, job.metadata.namespace, name);
    const request = { verb: 'get', resource: resource.plural, path, signal: this.signal } as const;
    const found = await this.parts.api.call({ ...request, read: selectionOf(resource) });
    if (ownerOf(found) === uid) return this.parts.caches.put(resource, found);
    const entry = { names: { kind: resource.kind, name }, untilMs: performance.now() + takenMs };
    this.#taken.set(uid, [...(this.#taken.get(uid) ?? []), entry]);
    const advice = 'delete it, or rename the job';
    const problem = `create ${resource.kind} ${name}: expected an unused name, got an object of another owner; ${advice}`;
    throw new ApiError(problem, 409, 'Taken');
  }

  async #apply(job: TrainingJob, object: Desired): Promise<void> {
    const resource = resourceOf(object.kind);
    const path = pathOf(resource, job.metadata.namespace, object.metadata?.name);
    const query = { fieldManager, force: 'true' };
    const request = {
      verb: 'apply',
      resource: resource.plural,
      path,
      query,
      body: object,
      read: selectionOf(resource),
      signal: this.signal,
    } as const;
    this.parts.caches.put(resource, await this.parts.api.call(request));
  }

  async #delete(job: TrainingJob, { kind, name, uid }: ObjectName): Promise<void> {
    const resource = resourceOf(kind);
    const path = pathOf(resource, job.metadata.namespace, name);
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, propagationPolicy: 'Background' };
    try {
      const request = { verb: 'delete', resource: resource.plural, path, body, signal: this.signal } as const;
      const reply = await this.parts.api.call<KubernetesObject>({ ...request, read: selectionOf(resource) });
      if (reply.metadata?.deletionTimestamp) this.parts.caches.put(resource, reply);
    } catch (error) {
      // It no longer exists, or another object has its name.
      if (!hasCode(error, 404) && !hasCode(error, 409)) throw error;
    }
  }
}
