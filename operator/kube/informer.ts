import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { answerError, ApiError, hasCode } from './api-error.js';
import type { Api, ApiRequest } from './api.js';
import { type Backoff, backoffMs, jitterMs } from '../../util/backoff.js';
import { keyOf, type ObjectCache } from './object-cache.js';
import { pathOf, type Resource } from './resources.js';
import { keep, selectionOf } from './trim.js';

export interface InformerTimes {
  /** A watch without data for this long is restarted. The server sends a bookmark about every minute. */
  readonly silentMs: number;
  /** Approximate interval between full lists, which correct anything that a watch has missed. */
  readonly relistMs: number;
  /** Approximate time for which the server keeps a watch open. */
  readonly watchMs: number;
  readonly backoff: Backoff;
}

export const defaultTimes: InformerTimes = {
  silentMs: 150_000,
  relistMs: 3_600_000,
  watchMs: 420_000,
  backoff: { firstMs: 500, maxMs: 10_000 },
};

export interface InformerSettings {
  readonly resource: Resource;
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly labelSelector?: string;
  readonly times?: InformerTimes;
  /** Called when a list or watch is restarted because of a failure. */
  readonly onRestart?: (resource: string, why: string) => void;
}

/** Event of a watch. */
interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubernetesObject;
}

/**
 * Objects per page of a list. The API server holds a whole page in memory, up to 1.5 MB per object. The operator's memory
 * doesn't depend on it.
 */
const pageSize = 50;
/** Fields of the `Status` in a watch's `ERROR`. */
const errorFields = { code: 'all', reason: 'all', message: { limit: { bytes: 4096, levels: 1 }, of: 'all' } } as const;
/** A watch that ends sooner has failed, even without an error. */
const shortMs = 1_000;
/** A watch that lasts longer resets the count of failures. */
const soundMs = 10_000;
/** Reason of the error for a silent watch. */
const silent = 'Silent';

/**
 * Keeps a cache in sync with the API server's objects of one kind: lists and watches them, and recovers from any failure,
 * until it is aborted. The client's own informer stops at the first error and doesn't detect a silent watch.
 */
export class Informer {
  readonly #times: InformerTimes;
  #version: string | undefined;
  #relistAt = 0;
  #failures = 0;
  #markSynced!: () => void;
  /** Resolves once all objects have been listed. */
  readonly synced = new Promise<void>((resolve) => (this.#markSynced = resolve));

  constructor(
    private readonly api: Api,
    private readonly cache: ObjectCache,
    private readonly settings: InformerSettings,
  ) {
    this.#times = settings.times ?? defaultTimes;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined || performance.now() >= this.#relistAt) await this.#list(signal);
        await this.#watch(signal);
        this.#failures = 0;
      } catch (error) {
        if (!signal.aborted) await this.#recover(error as Error, signal);
      }
    }
  }

  async #recover(error: Error, signal: AbortSignal): Promise<void> {
    this.settings.onRestart?.(this.settings.resource.plural, error.message);
    // After a broken connection the watch resumes at its version; any other failure needs a new list.
    const canResume = error instanceof ApiError && error.retryable && error.reason !== silent;
    if (!canResume) this.#version = undefined;
    // An expired version is normal, unless it recurs after a new list.
    if (hasCode(error, 410) && this.#failures === 0) return void (this.#failures = 1);
    this.#failures += 1;
    const delayMs = backoffMs(this.#times.backoff, this.#failures, Math.random());
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
  }

  /** Lists in pages, so the API server doesn't serialize everything at once. */
  async #list(signal: AbortSignal): Promise<void> {
    const keys = new Set<string>();
    let next: string | undefined;
    let version: string | undefined;
    do {
      const query = { ...this.#query(), limit: `${pageSize}`, continue: next };
      const request = { ...this.#request('list'), read: selectionOf(this.settings.resource), query, signal };
      const { metadata } = await this.api.list(request, (item) => {
        keys.add(keyOf(item));
        this.cache.put(keep(this.settings.resource, item));
      });
      next = metadata.continue === '' ? undefined : metadata.continue;
      version = metadata.resourceVersion;
    } while (next !== undefined);
    this.cache.retain(keys, version, this.settings.namespace);
    this.#version = version;
    this.#relistAt = performance.now() + jitterMs(this.#times.relistMs, Math.random());
    this.#markSynced();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const beganAt = performance.now();
    const watchdog = setTimeout(() => silence.abort(), this.#times.silentMs);
    const both = AbortSignal.any([signal, silence.signal]);
    try {
      const read = { type: 'all', object: { ...selectionOf(this.settings.resource), ...errorFields } } as const;
      const request = { ...this.#request('watch'), read, query: this.#watchQuery(), signal: both };
      for await (const event of this.api.stream(request, () => watchdog.refresh())) this.#take(event as WatchEvent);
    } catch (error) {
      if (!silence.signal.aborted) throw error;
      throw new ApiError(`watch: expected a bookmark within ${this.#times.silentMs} ms, got no data`, 0, silent);
    } finally {
      clearTimeout(watchdog);
      if (performance.now() - beganAt > soundMs) this.#failures = 0;
    }
    if (performance.now() - beganAt < shortMs)
      throw new ApiError('watch: expected a stream, got one that ended immediately', 0, 'Short');
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ERROR') throw answerError('watch', (object as { code?: number }).code ?? 0, JSON.stringify(object));
    if (type === 'DELETED') this.cache.remove(object);
    else if (type !== 'BOOKMARK') this.cache.put(keep(this.settings.resource, object));
    this.#version = object.metadata?.resourceVersion;
  }

  #request(verb: 'list' | 'watch'): Pick<ApiRequest, 'verb' | 'resource' | 'path' | 'accept'> {
    const { resource, namespace } = this.settings;
    const as = `PartialObjectMetadata${verb === 'list' ? 'List' : ''}`;
    const accept = `application/json${resource.cached === 'metadata' ? `;as=${as};g=meta.k8s.io;v=v1` : ''}`;
    return { verb, resource: resource.plural, path: pathOf(resource, namespace), accept };
  }

  #query(): Readonly<Record<string, string | undefined>> {
    return { labelSelector: this.settings.labelSelector };
  }

  #watchQuery(): Readonly<Record<string, string | undefined>> {
    const seconds = Math.ceil(jitterMs(this.#times.watchMs, Math.random()) / 1000);
    return {
      ...this.#query(),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version,
      timeoutSeconds: `${seconds}`,
    };
  }
}
