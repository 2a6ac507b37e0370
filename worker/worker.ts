import type { JobManifest } from '../job/manifest.js';
import { ClusterError } from '../proto/errors.js';
import type { TlsIdentity } from '../transport/tls-identity.js';
import type { LinkFds } from '../transport/local/channel.js';
import { diagnoseTls } from '../transport/tls-diagnosis.js';
import { backoffMs } from './backoff.js';
import { EngineThread } from './engine-thread.js';
import { type SessionEnd, WorkerSession } from './session.js';
import { newBeatKey, newWorkerId } from './worker-id.js';

export interface WorkerOptions {
  /** `HOST:PORT` of the coordinator. */
  readonly coordinator: string;
  /** Whoever starts the process may choose its id, to know it again; a new one each time. */
  readonly workerId?: string | undefined;
  readonly token?: string | undefined;
  /** For a coordinator with mutual TLS. */
  readonly tls?: TlsIdentity | undefined;
  /** Give up after this long without a coordinator. */
  readonly waitMs: number;
  /**
   * Cores that the workers of this host share: with two or more, the last shards of a step are computed with two threads
   * while other workers have none left. 1: never, as where the worker has a core to itself and no more.
   */
  readonly cores: number;
  /** Where compiled programs are kept; none are by default. */
  readonly cacheDirectory?: string | undefined;
  /** By which the coordinator that started this process gives it steps; such a worker has one job. */
  readonly link?: LinkFds | undefined;
  readonly log: (message: string) => void;
}

/** What outlives a session: the engine thread with its compiled programs, and the parts of the dataset by digest. */
interface JobMemory {
  readonly engine: EngineThread;
  readonly parts: Map<string, SharedArrayBuffer>;
}

/** A worker: joins its coordinator, again and again if need be, until a job is over. */
export class LockstepWorker {
  readonly workerId: string;
  readonly #beatKey = newBeatKey();
  #job: JobMemory | undefined;
  /** An engine thread that loads its modules while the worker joins. */
  #spare: EngineThread | undefined;
  #session: WorkerSession | undefined;
  #leaving: string | undefined;
  #wake: (() => void) | undefined;

  constructor(private readonly options: WorkerOptions) {
    this.workerId = options.workerId ?? newWorkerId();
  }

  /**
   * Works until the job is over or `leave` is called.
   * @throws ClusterError when it is refused, its engine fails, or no coordinator is there for `waitMs`.
   */
  async run(): Promise<SessionEnd> {
    this.#spare = this.#newEngine();
    try {
      let alone = performance.now();
      for (let attempt = 1; this.#leaving === undefined; attempt++) {
        const session = (this.#session = this.#open());
        try {
          return await session.run();
        } catch (error) {
          if (!(error instanceof ClusterError) || !error.retryable) throw error;
          if (session.welcomed) {
            alone = performance.now();
            attempt = 1;
          } else await this.#checkTls(error);
          await this.#pause(error, attempt, performance.now() - alone);
        }
      }
      return { reason: this.#leaving };
    } finally {
      await Promise.all([this.#job?.engine.close(), this.#spare?.close()]);
    }
  }

  /** Leaves the cluster; its shards are free at once. */
  leave(reason: string): void {
    this.#leaving ??= reason;
    this.#session?.leave(reason);
    this.#wake?.();
  }

  #open(): WorkerSession {
    const { coordinator, token, tls, waitMs, cores, log } = this.options;
    return new WorkerSession({
      coordinator,
      token,
      tls,
      workerId: this.workerId,
      beatKey: this.#beatKey,
      welcomeLimitMs: waitMs,
      cores,
      log,
      engineFor: (manifest) => this.#jobFor(manifest).engine,
      partsFor: (manifest) => this.#jobFor(manifest).parts,
    });
  }

  /** What is kept of this job; what was compiled and fetched for another one is dropped. */
  #jobFor(manifest: JobManifest): JobMemory {
    if (this.#job?.engine.jobDigest !== manifest.digest) {
      void this.#job?.engine.close();
      this.#job = { engine: this.#spare ?? this.#newEngine(), parts: new Map() };
      this.#spare = undefined;
      this.#job.engine.begin(manifest, this.options.cores > 1, this.options.link);
    }
    return this.#job;
  }

  #newEngine(): EngineThread {
    return new EngineThread({ cacheDirectory: this.options.cacheDirectory });
  }

  /** @throws ClusterError UNTRUSTED when it is for TLS that there is no coordinator. */
  async #checkTls({ code }: ClusterError): Promise<void> {
    if (code !== 'UNREACHABLE' || this.#leaving !== undefined) return;
    const { coordinator, tls } = this.options;
    const reason = await diagnoseTls('join', coordinator, tls);
    if (reason) throw reason;
  }

  async #pause(error: ClusterError, attempt: number, aloneMs: number): Promise<void> {
    const { waitMs, coordinator, log } = this.options;
    if (aloneMs > waitMs) {
      const limit = Math.round(waitMs / 1000);
      throw new ClusterError(
        'UNREACHABLE',
        `join: expected a coordinator at ${coordinator} within ${limit} s, got none (${error.message})`,
      );
    }
    if (this.#leaving !== undefined) return;
    const ms = backoffMs(attempt, Math.random());
    log(`no coordinator at ${coordinator} (${error.message}); trying again in ${(ms / 1000).toFixed(1)} s`);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
