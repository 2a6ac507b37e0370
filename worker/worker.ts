import type { InstructionSet } from '../engine/engine.js';
import type { JobManifest } from '../job/manifest.js';
import { ClusterError } from '../proto/errors.js';
import type { TlsIdentity } from '../transport/tls-identity.js';
import type { LocalFds } from '../transport/local/channel.js';
import { diagnoseTls } from '../transport/tls-diagnosis.js';
import { type Backoff, backoffMs } from '../util/backoff.js';
import { EngineThread } from './engine-thread.js';
import { type SessionEnd, WorkerSession } from './session.js';
import { newBeatKey, newWorkerId } from './worker-id.js';

/** Delays between attempts to reach the coordinator. */
const backoff: Backoff = { firstMs: 250, maxMs: 4_000, jitter: 0.25 };

export interface WorkerOptions {
  /** `HOST:PORT` of the coordinator. */
  readonly coordinator: string;
  /** Chosen by the process that starts the worker; default: a new one. */
  readonly workerId?: string | undefined;
  readonly token?: string | undefined;
  /** For a coordinator with mutual TLS. */
  readonly tls?: TlsIdentity | undefined;
  /** Longest time without a coordinator before giving up. */
  readonly waitMs: number;
  /** Cores shared by the workers of this host; idle ones serve as extra threads. 1: the worker has one of its own. */
  readonly cores: number;
  /** Directory of compiled programs; by default they aren't kept. */
  readonly cacheDirectory?: string | undefined;
  /** Instruction set of the native engine; default: the fastest that works. */
  readonly isa?: InstructionSet | undefined;
  /** Files of a local transport, inherited from the coordinator's process. Such a worker has one job. */
  readonly localFds?: LocalFds | undefined;
  readonly log: (message: string) => void;
}

/** State that outlives a session: the engine thread with its compiled programs, and dataset chunks by digest. */
interface JobMemory {
  readonly engine: EngineThread;
  readonly chunks: Map<string, SharedArrayBuffer>;
}

/** A worker process: joins its coordinator, and rejoins after failures, until the job is over. */
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
   * @throws ClusterError if it is rejected, its engine fails, or no coordinator responds for `waitMs`.
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

  /** Leaves the cluster; its shards go to others at once. */
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
      chunksFor: (manifest) => this.#jobFor(manifest).chunks,
    });
  }

  /** State of this job; drops that of another one. */
  #jobFor(manifest: JobManifest): JobMemory {
    if (this.#job?.engine.jobDigest !== manifest.digest) {
      void this.#job?.engine.close();
      this.#job = { engine: this.#spare ?? this.#newEngine(), chunks: new Map() };
      this.#spare = undefined;
      this.#job.engine.begin(manifest, this.options.localFds);
    }
    return this.#job;
  }

  #newEngine(): EngineThread {
    const { cacheDirectory, isa } = this.options;
    return new EngineThread({ cacheDirectory, isa });
  }

  /** @throws ClusterError UNTRUSTED if the coordinator is unreachable because of TLS. */
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
    const ms = backoffMs(backoff, attempt, Math.random());
    log(`no coordinator at ${coordinator} (${error.message}); retrying in ${(ms / 1000).toFixed(1)} s`);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
