import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { Objm, type ObjectStore } from '@nats-io/obj';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type RegistryEntry, registryEntrySchema } from '../../../nats/payloads.js';
import { freePort } from '../../e2e/lockstep.js';
import { findProgram } from '../../programs.js';
import { parseEvent, type PublishedEvent } from '../event-schemas.js';

/** Debian installs it where only root's PATH looks. */
const found = findProgram(['nats-server'], ['/usr/sbin', '/usr/local/bin']);

/** Reason why there is no server to test with; undefined if there is one. */
export const missing =
  found === undefined ? 'nats-server is not installed (Debian: apt-get install nats-server)' : undefined;

// Where the server is required, its absence is a failure.
if (missing !== undefined && process.env['LOCKSTEP_REQUIRE_NATS'] !== undefined) throw new Error(missing);

const startLimitMs = 15_000;

/** A real nats-server with JetStream, on a free loopback port, its files in a directory of its own. */
export class NatsServer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'lockstep-nats-'));
  readonly #clients: NatsConnection[] = [];
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly flags: readonly string[],
  ) {}

  static async start(...flags: string[]): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), flags);
    await server.restart();
    return server;
  }

  /** For `--nats`. */
  url(scheme: 'nats' | 'tls' = 'nats'): string {
    return `${scheme}://127.0.0.1:${this.port}`;
  }

  /** Starts it on the same port, with its stored data. */
  async restart(): Promise<void> {
    const args = ['-a', '127.0.0.1', '-p', String(this.port), '-js', '-sd', this.#directory, ...this.flags];
    this.#process = spawn(found!, args, { stdio: 'ignore' });
    const deadline = performance.now() + startLimitMs;
    while (!(await answers(this.port))) {
      if (performance.now() > deadline) throw new Error(`nats-server: expected it on port ${this.port}, got none`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it at once, as a power cut does. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Keeps its connections and answers nothing, until `thaw`. */
  freeze(): void {
    this.#process!.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process!.kill('SIGCONT');
  }

  async connect(signIn: { user?: string; pass?: string; token?: string } = {}): Promise<NatsConnection> {
    const connection = await connect({ servers: `127.0.0.1:${this.port}`, maxReconnectAttempts: -1, ...signIn });
    this.#clients.push(connection);
    return connection;
  }

  async close(): Promise<void> {
    this.#process?.kill('SIGCONT');
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** All events of the stream, in order, checked against the schema. */
export async function readEvents(js: JetStreamClient): Promise<PublishedEvent[]> {
  const consumer = await js.consumers.get('LOCKSTEP_EVENTS', {});
  const events: PublishedEvent[] = [];
  const count = (await consumer.info()).num_pending;
  if (count > 0) {
    for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
      events.push(parseEvent(message.json()));
    }
  }
  if (events.length !== count) throw new Error(`expected ${count} events, got ${events.length}`);
  return events;
}

export async function readEntry(js: JetStreamClient, job: string): Promise<RegistryEntry | undefined> {
  const stored = await (await new Kvm(js).open('LOCKSTEP_JOBS')).get(job);
  return stored ? registryEntrySchema.parse(stored.json()) : undefined;
}

export async function openRuns(js: JetStreamClient): Promise<ObjectStore> {
  return new Objm(js).open('LOCKSTEP_RUNS');
}

/** Polls until `condition` holds for the result of `read`. */
export async function eventually<Value>(
  read: () => Promise<Value>,
  condition: (value: Value) => boolean,
  what: string,
  limitMs = 15_000,
): Promise<Value> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await read();
    if (condition(value)) return value;
    if (performance.now() > deadline) throw new Error(`wait: expected ${what}, got ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export { jetstream };

/** True once a server sends its INFO; an open port alone isn't enough. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once('error', () => end(false));
    socket.once('data', (data) => end(data.toString().startsWith('INFO')));
  });
}
