import type { Logger } from 'pino';
import type { Caches } from './caches.js';
import type { Connector } from './connection.js';
import type { CoordinatorCalls } from '../coordinators/coordinator-calls.js';
import type { Informer } from './informer.js';
import type { Leader } from './leader.js';
import { keyOf } from './object-cache.js';
import type { MonitoringServer } from './monitoring-server.js';
import type { WorkQueue } from './work-queue.js';

export interface OperatorParts {
  readonly caches: Caches;
  readonly queue: WorkQueue;
  readonly coordinators: CoordinatorCalls;
  readonly informers: readonly Informer[];
  /** Must succeed before the first job is reconciled; rejects when the signal is aborted. */
  readonly prepare: (signal: AbortSignal) => Promise<void>;
  /** Absent: no leader election. */
  readonly leader?: Leader | undefined;
  readonly health: MonitoringServer;
  /** Absent: no metrics. */
  readonly metrics?: MonitoringServer | undefined;
  readonly connector: Connector;
  /** Aborted when this process must no longer act. */
  readonly acting: AbortController;
  /** Current phase, for metrics and health. */
  readonly phase: Phase;
  readonly log: Logger;
}

export interface Phase {
  /** All objects have been listed once. */
  synced: boolean;
  leading: boolean;
}

/** Interval at which every job is reconciled even without changes. */
const resyncMs = 600_000;

/** Leadership lost: another operator may be acting, so this process must stop. */
class LeadLostError extends Error {
  override readonly name = 'LeadLostError';
}

/** The operator: watches the cluster and, while it is the leader, reconciles jobs. */
export class Operator {
  constructor(private readonly parts: OperatorParts) {}

  /**
   * Runs until `stop` is aborted, then completes running reconciliations and releases the lease.
   * @param onListening - called with the ports of health and, if served, metrics.
   * @throws LeadLostError if leadership is lost. The process must exit, so it can't act any more.
   */
  async run(
    stop: AbortSignal,
    onListening: (health: number, metrics: number | undefined) => void = () => undefined,
  ): Promise<void> {
    const { informers, health, metrics, coordinators, connector } = this.parts;
    onListening(await health.listen(), await metrics?.listen());
    const watching = new AbortController();
    const informing = informers.map((informer) => informer.run(watching.signal));
    try {
      await this.#work(stop);
    } finally {
      coordinators.close();
      watching.abort();
      await Promise.all(informing);
      health.close();
      metrics?.close();
      connector.close();
    }
  }

  async #work(stop: AbortSignal): Promise<void> {
    const { informers, caches, leader, log, phase, prepare } = this.parts;
    const stopped = new Promise<undefined>((resolve) => {
      stop.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    await Promise.race([Promise.all(informers.map(({ synced }) => synced)), stopped]);
    if (stop.aborted) return;
    await prepare(stop).catch((error: unknown) => {
      if (!stop.aborted) throw error;
    });
    phase.synced = true;
    log.info(`jobs found: ${caches.jobs.size}`);
    // Rejects if `stop` is aborted.
    await leader?.acquire(stop).catch(() => undefined);
    if (!stop.aborted) await this.#lead(stopped);
  }

  async #lead(stopped: Promise<undefined>): Promise<void> {
    const { leader, queue, acting, phase, log } = this.parts;
    const keeping = new AbortController();
    const kept = leader?.keep(keeping.signal);
    const resync = setInterval(() => this.#resync(), resyncMs);
    phase.leading = true;
    log.info('leading');
    queue.start();
    const lost = await Promise.race(kept ? [kept, stopped] : [stopped]);
    clearInterval(resync);
    const error =
      lost === undefined
        ? undefined
        : new LeadLostError(`leadership lost: ${lost}; exiting, because another operator may act`);
    if (error) acting.abort(error);
    // The lease is renewed until all running reconciliations are done.
    await queue.stop();
    phase.leading = false;
    keeping.abort();
    await kept;
    if (error) throw error;
    await leader?.release().catch((cause: unknown) => log.warn((cause as Error).message));
  }

  #resync(): void {
    for (const job of this.parts.caches.jobs.values()) {
      this.parts.queue.add(keyOf(job), Math.random() * (resyncMs / 10));
    }
  }
}
