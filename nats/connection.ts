import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeAddress, type NatsAddress } from './address.js';
import { connectionOptions } from './sign-in.js';
import { endSilentSockets } from './silent-sockets.js';

export interface LinkOptions {
  readonly address: NatsAddress;
  /** How the connection is called on the server. */
  readonly name: string;
  readonly onNote: (message: string) => void;
}

/** How long one attempt to connect may take. */
const attemptMs = 2_500;
const firstPauseMs = 250;
const longestPauseMs = 4_000;

/** A connection that is made in the background, and made again for ever. */
export class Link {
  /** Settles at the first connection; rejects when the link is closed before. */
  readonly connected: Promise<NatsConnection>;
  /** Settles when the first attempt to connect has failed. */
  readonly firstFailure: Promise<void>;
  #failed!: () => void;
  #connection: NatsConnection | undefined;
  #up = false;
  #pauses = 0;
  #downReason: string | undefined;
  readonly #forgetSockets: () => void;
  readonly #closing = new AbortController();
  /** Called at each connection after the first. */
  onBack: () => void = () => undefined;

  constructor(private readonly options: LinkOptions) {
    const ports = options.address.servers.map((server) => Number(server.split(':').at(-1)));
    this.#forgetSockets = endSilentSockets(ports, 2 * attemptMs);
    this.firstFailure = new Promise((resolve) => (this.#failed = resolve));
    this.connected = this.#connect();
    this.connected.catch(() => undefined);
  }

  /** Whether the server can be reached, as far as is known. */
  get isUp(): boolean {
    return this.#up;
  }

  /** Where the server is; may be printed. */
  get place(): string {
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
        this.#isBack();
        void this.#follow(connection);
        return connection;
      } catch (error) {
        this.#closing.signal.throwIfAborted();
        this.#isDown((error as Error).message);
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
      // A server that is silent for so long counts as away, and what is meant for it does not pile up.
      pingInterval: 5_000,
      maxPingOut: 2,
    };
  }

  async #follow(connection: NatsConnection): Promise<void> {
    let reason = 'the connection ended';
    for await (const status of connection.status()) {
      if (status.type === 'error') reason = status.error.message;
      if (status.type === 'staleConnection') reason = 'it does not answer';
      if (status.type === 'disconnect' && !this.#closing.signal.aborted) this.#isDown(reason);
      if (status.type === 'reconnect') {
        reason = 'the connection ended';
        this.#isBack();
        this.onBack();
      }
    }
  }

  #isDown(reason: string): void {
    this.#up = false;
    if (this.#downReason !== undefined) return;
    this.#downReason = reason;
    this.options.onNote(`NATS: ${this.place} is away (${reason}); training goes on, events wait`);
  }

  #isBack(): void {
    const was = this.#downReason;
    this.#up = true;
    this.#pauses = 0;
    this.#downReason = undefined;
    this.options.onNote(was === undefined ? `NATS: connected to ${this.place}` : `NATS: ${this.place} is back`);
  }

  #pauseMs(): number {
    const ms = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(10, this.#pauses++));
    return ms * (0.75 + Math.random() / 2);
  }
}
