import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../util/backoff.js';
import { describeAddress, type NatsAddress } from './address.js';
import { connectionOptions } from './sign-in.js';
import { endSilentSockets } from './silent-sockets.js';

export interface ConnectionSettings {
  readonly address: NatsAddress;
  /** Name of the connection on the server. */
  readonly name: string;
  readonly onNote: (message: string) => void;
}

/** Time limit for one attempt to connect. */
const attemptMs = 2_500;
const backoff: Backoff = { firstMs: 250, maxMs: 4_000 };

/** Connection that is established in the background, and reestablished without limit. */
export class LastingConnection {
  /** Resolves with the first connection; rejects if `close` is called before. */
  readonly established: Promise<NatsConnection>;
  /** Resolves when the first attempt to connect has failed. */
  readonly firstFailure: Promise<void>;
  #failed!: () => void;
  #connection: NatsConnection | undefined;
  #up = false;
  #pauses = 0;
  #downReason: string | undefined;
  readonly #forgetSockets: () => void;
  readonly #closing = new AbortController();
  /** Called after each reconnection. */
  onReconnect: () => void = () => undefined;

  constructor(private readonly options: ConnectionSettings) {
    const ports = options.address.servers.map((server) => Number(server.split(':').at(-1)));
    this.#forgetSockets = endSilentSockets(ports, 2 * attemptMs);
    this.firstFailure = new Promise((resolve) => (this.#failed = resolve));
    this.established = this.#connect();
    this.established.catch(() => undefined);
  }

  /** True while the server is reachable, as far as known. */
  get isUp(): boolean {
    return this.#up;
  }

  /** URL of the server, without secrets. */
  get url(): string {
    return describeAddress(this.options.address);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#up = false;
    await this.#connection?.close().catch(() => undefined);
    this.#forgetSockets();
  }

  async #connect(): Promise<NatsConnection> {
    for (;;) {
      try {
        const connection = await connect(this.#settings());
        if (this.#closing.signal.aborted) await connection.close();
        this.#closing.signal.throwIfAborted();
        this.#connection = connection;
        this.#setUp();
        void this.#follow(connection);
        return connection;
      } catch (error) {
        this.#closing.signal.throwIfAborted();
        this.#setDown((error as Error).message);
        this.#failed();
        await sleep(this.#pauseMs(), undefined, { ref: false, signal: this.#closing.signal });
      }
    }
  }

  #settings(): NodeConnectionOptions {
    const { address, name } = this.options;
    return {
      ...connectionOptions(address),
      name,
      timeout: attemptMs,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => this.#pauseMs(),
      // A server that doesn't answer two pings counts as disconnected, so that no data is buffered for it.
      pingInterval: 5_000,
      maxPingOut: 2,
    };
  }

  async #follow(connection: NatsConnection): Promise<void> {
    let reason = 'the connection ended';
    for await (const status of connection.status()) {
      if (status.type === 'error') reason = status.error.message;
      if (status.type === 'staleConnection') reason = 'not responding';
      if (status.type === 'disconnect' && !this.#closing.signal.aborted) this.#setDown(reason);
      if (status.type === 'reconnect') {
        reason = 'the connection ended';
        this.#setUp();
        this.onReconnect();
      }
    }
  }

  #setDown(reason: string): void {
    this.#up = false;
    if (this.#downReason !== undefined) return;
    this.#downReason = reason;
    this.options.onNote(`NATS: ${this.url} is unreachable (${reason}); training continues, events are queued`);
  }

  #setUp(): void {
    const downReason = this.#downReason;
    this.#up = true;
    this.#pauses = 0;
    this.#downReason = undefined;
    this.options.onNote(
      downReason === undefined ? `NATS: connected to ${this.url}` : `NATS: ${this.url} is reachable again`,
    );
  }

  #pauseMs(): number {
    return backoffMs(backoff, ++this.#pauses, Math.random());
  }
}
