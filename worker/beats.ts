import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { callMetadata } from '../transport/auth.js';
import { monotonicMs, timerMs } from '../util/clock.js';
import { ClusterError, fromServiceError } from '../proto/errors.js';
import { coordinatorLimitMs, limitConnecting } from '../transport/liveness.js';
import type { Alive, Heartbeat } from '../proto/messages.js';
import type { ClusterClient } from '../transport/services.js';
import { clusterClient, type CoordinatorAddress } from './cluster-client.js';

/** Interval of heartbeats until the coordinator has set one. */
const firstIntervalMs = 500;
const checkEveryMs = 1_000;

export interface BeatsOptions extends CoordinatorAddress {
  readonly workerId: string;
  readonly beatKey: Uint8Array;
  /** Content of the next heartbeat. */
  readonly report: () => Omit<Heartbeat, 'sentMs' | 'workerId' | 'beatKey'>;
  /** Called when the coordinator is silent for too long or has ended the session; may be called more than once. */
  readonly onDead: (error: ClusterError) => void;
}

/** Heartbeats to and from the coordinator, on a separate connection, so that they never wait behind data. */
export class Beats {
  readonly #client: ClusterClient;
  readonly #stream: ClientDuplexStream<Heartbeat, Alive>;
  readonly #connecting: NodeJS.Timeout;
  readonly #watch: NodeJS.Timeout;
  #timer: NodeJS.Timeout;
  /** Checks since the coordinator was last heard. Counted rather than timed, as a stopped process hears nothing. */
  #silentChecks = 0;
  /** Consecutive answers that the session is over. One isn't enough: the reason may arrive on Join a moment later. */
  #disowned = 0;
  /** Time from which the coordinator must know the session, on the monotonic clock. */
  #welcomedMs = Infinity;

  constructor(private readonly options: BeatsOptions) {
    const { coordinator, token, onDead } = options;
    const operation = `join ${coordinator}`;
    this.#client = clusterClient(options);
    this.#stream = this.#client.Beat(callMetadata(token));
    this.#stream.on('data', (alive: Alive) => this.#answered(alive));
    this.#stream.on('error', (error: ServiceError) => onDead(fromServiceError(error, operation)));
    this.#stream.on('end', () =>
      onDead(new ClusterError('UNREACHABLE', `${operation}: the coordinator ended the heartbeats`)),
    );
    this.#connecting = limitConnecting(this.#client, operation, onDead);
    this.#watch = setInterval(() => this.#check(), checkEveryMs);
    this.#timer = setInterval(() => this.beat(), firstIntervalMs);
    this.beat();
  }

  /** To be called when the coordinator has admitted the worker and requested a heartbeat every `intervalMs`. */
  welcomed(intervalMs: number): void {
    this.#welcomedMs = monotonicMs();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.beat(), timerMs(Math.max(50, intervalMs)));
  }

  /** Sends a heartbeat now, unless earlier ones still block the connection. */
  beat(): void {
    const { workerId, beatKey, report } = this.options;
    if (this.#stream.writableNeedDrain) return;
    this.#stream.write({ ...report(), sentMs: monotonicMs(), workerId, beatKey });
  }

  /** To be called when anything arrives from the coordinator, on any connection. */
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
    const message = `join ${this.options.coordinator}: expected the coordinator to know this worker, got an answer that it was lost`;
    this.options.onDead(new ClusterError('LOST', message));
  }

  #check(): void {
    if (++this.#silentChecks * checkEveryMs <= coordinatorLimitMs) return;
    const expected = `expected a sign of life within ${coordinatorLimitMs / 1000} s`;
    this.options.onDead(new ClusterError('UNREACHABLE', `join ${this.options.coordinator}: ${expected}, got none`));
  }
}
