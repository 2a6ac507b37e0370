import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { callMetadata } from '../proto/auth.js';
import { monotonicMs, timerMs } from '../proto/clock.js';
import { ClusterError, fromServiceError } from '../proto/errors.js';
import { coordinatorLimitMs, limitConnecting } from '../proto/liveness.js';
import type { Alive, Heartbeat } from '../proto/messages.js';
import type { ClusterClient } from '../proto/services.js';
import { clusterClient, type CoordinatorAddress } from './cluster-client.js';

/** Between heartbeats while the coordinator has not said how often it wants them. */
const firstIntervalMs = 500;
const checkEveryMs = 1_000;

export interface BeatsOptions extends CoordinatorAddress {
  readonly workerId: string;
  /** What a heartbeat says. */
  readonly report: () => Omit<Heartbeat, 'sentMs' | 'workerId'>;
  /** The coordinator was not heard of for too long, or the session is over for it. May be called more than once. */
  readonly onDead: (error: ClusterError) => void;
}

/** Signs of life to the coordinator and from it, on a connection of their own, so that they never wait behind data. */
export class Beats {
  readonly #client: ClusterClient;
  readonly #stream: ClientDuplexStream<Heartbeat, Alive>;
  readonly #connecting: NodeJS.Timeout;
  readonly #watch: NodeJS.Timeout;
  #timer: NodeJS.Timeout;
  /** Checks since the coordinator was last heard of. Counted, as a process that was stopped has not listened. */
  #silentChecks = 0;
  /** Answers in a row that the session is over. What ended it may come by Join a moment later, and says more. */
  #disowned = 0;
  /** From when on the coordinator must know the session, on the monotonic clock. */
  #welcomedMs = Infinity;

  constructor(private readonly options: BeatsOptions) {
    const { coordinator, token, onDead } = options;
    const operation = `join ${coordinator}`;
    this.#client = clusterClient(options);
    this.#stream = this.#client.Beat(callMetadata(token));
    this.#stream.on('data', (alive: Alive) => this.#answered(alive));
    this.#stream.on('error', (error: ServiceError) => onDead(fromServiceError(error, operation)));
    this.#stream.on('end', () => onDead(new ClusterError('UNREACHABLE', `${operation}: the coordinator ended it`)));
    this.#connecting = limitConnecting(this.#client, operation, onDead);
    this.#watch = setInterval(() => this.#check(), checkEveryMs);
    this.#timer = setInterval(() => this.beat(), firstIntervalMs);
    this.beat();
  }

  /** The coordinator has taken the worker in, and wants a heartbeat every `intervalMs`. */
  welcomed(intervalMs: number): void {
    this.#welcomedMs = monotonicMs();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.beat(), timerMs(Math.max(50, intervalMs)));
  }

  /** Sends a heartbeat now, unless the connection is choked with earlier ones. */
  beat(): void {
    const { workerId, report } = this.options;
    if (!this.#stream.writableNeedDrain) this.#stream.write({ ...report(), sentMs: monotonicMs(), workerId });
  }

  /** Something came from the coordinator, be it elsewhere. */
  heard(): void {
    this.#silentChecks = 0;
  }

  close(): void {
    for (const timer of [this.#connecting, this.#watch, this.#timer]) clearTimeout(timer);
    this.#stream.cancel();
    this.#client.close();
  }

  #answered({ sentMs, joined }: Alive): void {
    this.heard();
    this.#disowned = joined || sentMs < this.#welcomedMs ? 0 : this.#disowned + 1;
    if (this.#disowned < 2) return;
    const message = `join ${this.options.coordinator}: expected the coordinator to know this worker, got that it was lost`;
    this.options.onDead(new ClusterError('LOST', message));
  }

  #check(): void {
    if (++this.#silentChecks * checkEveryMs <= coordinatorLimitMs) return;
    const expected = `expected a sign of life within ${coordinatorLimitMs / 1000} s`;
    this.options.onDead(new ClusterError('UNREACHABLE', `join ${this.options.coordinator}: ${expected}, got none`));
  }
}
