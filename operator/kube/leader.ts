import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { hasCode } from './api-error.js';
import type { Api } from './api.js';
import { jitterMs } from '../../util/backoff.js';
import {
  decideLease,
  heldLease,
  type LeaseSpec,
  type LeaseTimes,
  mustStopLeading,
  releasedLease,
  renewTryMs,
} from './lease-decisions.js';
import { apiVersion, leaseResource, pathOf } from './resources.js';

interface Lease extends KubernetesObject {
  spec?: LeaseSpec;
}

export interface LeaderSettings {
  readonly namespace: string;
  readonly name: string;
  /** Unique per process, so a restart isn't mistaken for its predecessor. */
  readonly identity: string;
  readonly times: LeaseTimes;
  readonly log: (message: string) => void;
}

/** Leader election by a Lease, so only one of several operators acts. */
export class Leader {
  #seen: { readonly version: string | undefined; readonly atMs: number } | undefined;
  #renewedAtMs = -Infinity;
  #held: Lease | undefined;

  constructor(
    private readonly api: Api,
    private readonly settings: LeaderSettings,
  ) {}

  /** Waits until this process leads. */
  async acquire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const held = await this.#tryAcquire(signal).catch((error: unknown) => {
        if (!signal.aborted) this.settings.log((error as Error).message);
        return false;
      });
      if (held) return;
      await this.#pause(signal);
    }
    signal.throwIfAborted();
  }

  /** Renews the lease. @returns the reason when the lease is lost or `signal` is aborted. */
  async keep(signal: AbortSignal): Promise<string> {
    const { times } = this.settings;
    let lastError = '';
    while (!signal.aborted) {
      await this.#pause(signal);
      const limit = AbortSignal.timeout(renewTryMs(performance.now() - this.#renewedAtMs, times));
      try {
        if (!(await this.#tryAcquire(AbortSignal.any([signal, limit])))) return 'another operator is the leader';
      } catch (error) {
        lastError = (error as Error).message;
      }
      const silentMs = performance.now() - this.#renewedAtMs;
      if (mustStopLeading(silentMs, times)) return `not renewed for ${Math.round(silentMs)} ms: ${lastError}`;
    }
    return 'stopped';
  }

  /** Releases the lease, so another operator can lead immediately. */
  async release(): Promise<void> {
    const lease = this.#held;
    if (!lease?.spec) return;
    this.#held = undefined;
    await this.#write('update', { ...lease, spec: releasedLease(lease.spec, new Date()) }, AbortSignal.timeout(2_000));
  }

  /** Acquires or renews the lease if possible. @returns true if this process holds it. */
  async #tryAcquire(signal: AbortSignal): Promise<boolean> {
    const lease = await this.#read(signal);
    const { identity, times } = this.settings;
    const unchangedMs = this.#unchangedMs(lease?.metadata?.resourceVersion);
    const { action, reason } = decideLease({ lease: lease?.spec, identity, unchangedMs, leaseMs: times.leaseMs });
    if (action === 'wait') return false;
    if (action !== 'renew') this.settings.log(`lease: ${reason}; acquiring it`);
    const beganAtMs = performance.now();
    const spec = heldLease(lease?.spec, identity, times.leaseMs, new Date());
    // Rejected if another operator was faster.
    this.#held = await this.#write(lease ? 'update' : 'create', { ...(lease ?? this.#fresh()), spec }, signal);
    this.#renewedAtMs = beganAtMs;
    return true;
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { namespace, name } = this.settings;
    const path = pathOf(leaseResource, namespace, name);
    try {
      return await this.api.call<Lease>({ verb: 'get', resource: leaseResource.plural, path, signal });
    } catch (error) {
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }

  /** Writes the lease. The server rejects it if its version in `lease` is outdated. */
  #write(verb: 'create' | 'update', lease: Lease, signal: AbortSignal): Promise<Lease> {
    const { namespace, name } = this.settings;
    const path = pathOf(leaseResource, namespace, verb === 'create' ? undefined : name);
    return this.api.call<Lease>({ verb, resource: leaseResource.plural, path, body: lease, signal });
  }

  #fresh(): Lease {
    const { namespace, name } = this.settings;
    return { apiVersion: apiVersion(leaseResource), kind: leaseResource.kind, metadata: { namespace, name } };
  }

  #unchangedMs(version: string | undefined): number {
    const nowMs = performance.now();
    if (!this.#seen || this.#seen.version !== version) this.#seen = { version, atMs: nowMs };
    return nowMs - this.#seen.atMs;
  }

  #pause(signal: AbortSignal): Promise<void> {
    return sleep(jitterMs(this.settings.times.retryMs, Math.random()), undefined, { signal }).catch(() => undefined);
  }
}
