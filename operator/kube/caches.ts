import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import type { TrainingJob } from '../resource/training-job.js';
import { JobCacheLimit } from './job-cache-limit.js';
import { type ChangeListener, keyOf, ObjectCache, ownerOf } from './object-cache.js';
import { childResources, jobResource, jobUidLabel, type Resource } from './resources.js';
import { keep, type PackedJob, unpackJob } from './trim.js';

/** Called when a job or one of its objects has changed. */
export type JobListener = (key: string, what: 'job' | 'child') => void;

/** Caches of jobs and their objects. */
export class Caches {
  readonly jobs: ObjectCache;
  readonly #children: ReadonlyMap<string, ObjectCache>;
  readonly #keyByUid = new Map<string, string>();
  readonly #kept: JobCacheLimit;

  /** @param jobBytes - size limit of all jobs' specs and statuses; default: that of `JobCacheLimit`. */
  constructor(
    private readonly onChange: JobListener,
    jobBytes?: number,
  ) {
    this.#kept = new JobCacheLimit(jobBytes);
    this.jobs = new ObjectCache(jobUidLabel, (before, after) => this.#jobChanged(before, after));
    const changed: ChangeListener = (before, after) => this.#childChanged((after ?? before)!);
    this.#children = new Map(childResources.map(({ kind }) => [kind, new ObjectCache(jobUidLabel, changed)]));
  }

  of({ kind }: Resource): ObjectCache {
    return kind === jobResource.kind ? this.jobs : this.#children.get(kind)!;
  }

  /** Stores the response to one of our own requests, read with `selectionOf`. */
  put(resource: Resource, object: KubernetesObject): void {
    if (resource.cached !== 'never') this.of(resource).put(keep(resource, object));
  }

  /** @returns 'dropped' for a job whose spec and status aren't cached. */
  job(key: string): TrainingJob | 'dropped' | undefined {
    const job = this.jobs.get(key) as PackedJob | undefined;
    if (job && job.packedSpec === undefined) return 'dropped';
    return job && unpackJob(job);
  }

  /** Objects owned by the job in its own namespace. */
  childrenOf({ metadata: { namespace = '', uid = '' } }: TrainingJob): readonly KubernetesObject[] {
    return [...this.#children.values()].flatMap((cache) => cache.ownedBy(namespace, uid));
  }

  /** Pods labelled with the job's UID that it doesn't own: those of its Deployment. */
  workerPodsOf({ metadata: { namespace = '', uid = '' } }: TrainingJob): readonly V1Pod[] {
    return this.#children
      .get('Pod')!
      .labelled(namespace, uid)
      .filter((pod) => ownerOf(pod) !== uid);
  }

  #jobChanged(before: KubernetesObject | undefined, after: KubernetesObject | undefined): void {
    this.#kept.replace(before, after);
    const uid = before?.metadata?.uid;
    if (uid !== undefined && uid !== after?.metadata?.uid) this.#keyByUid.delete(uid);
    if (after) this.#keyByUid.set(after.metadata!.uid!, keyOf(after));
    this.onChange(keyOf((after ?? before)!), 'job');
  }

  #childChanged(child: KubernetesObject): void {
    const uids = [ownerOf(child), child.metadata?.labels?.[jobUidLabel]];
    const key = uids.map((uid) => this.#keyByUid.get(uid ?? '')).find((found) => found !== undefined);
    if (key?.startsWith(`${child.metadata?.namespace ?? ''}/`)) this.onChange(key, 'child');
  }
}
