import { crc32 } from 'node:zlib';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { arithmeticVersion } from '../../engine/arithmetic.js';
import { callMetadata } from '../../transport/auth.js';
import { chunkCount, chunkFields } from '../../proto/chunks.js';
import { type ClusterError, fromServiceError } from '../../proto/errors.js';
import type { FromWorker, Hello, Node, Ready, ReceivedToWorker, ShardReport } from '../../proto/messages.js';
import { PROTOCOL_VERSION } from '../../transport/services.js';
import { clusterClient, within } from '../proto/wire.js';

type Kind = ReceivedToWorker['message'];

/** A scripted worker over a real connection, which keeps all messages it receives. */
export class RawWorker {
  /** Resolves at the session's end, with its error if there was one. */
  readonly ended: Promise<ClusterError | undefined>;
  readonly received: ReceivedToWorker[] = [];
  /** Called with each incoming message. */
  onReceived: ((message: ReceivedToWorker) => void) | undefined;
  #taken = 0;
  #wake: (() => void) | undefined;
  readonly #stream: ClientDuplexStream<FromWorker, ReceivedToWorker>;

  constructor(
    address: string,
    readonly workerId: string,
    client = clusterClient(address),
  ) {
    this.#stream = client.Join(callMetadata());
    this.ended = new Promise((resolve) => {
      this.#stream.on('error', (error) => resolve(fromServiceError(error as ServiceError, 'join')));
      this.#stream.on('end', () => resolve(undefined));
    });
    this.#stream.on('data', (message: ReceivedToWorker) => {
      this.received.push(message);
      this.onReceived?.(message);
      this.#wake?.();
    });
  }

  /** Joins and reports that its programs are compiled and that it holds `shards`. */
  async start(shards: number[]): Promise<void> {
    this.hello();
    await this.next('welcome');
    this.ready();
    this.send({ holding: { shards } });
  }

  hello(overrides: Partial<Hello> = {}): void {
    const { workerId } = this;
    const beatKey = new Uint8Array(16);
    const hello = { protocolVersion: PROTOCOL_VERSION, workerId, host: 'test', pid: 1, runtime: 'test', beatKey };
    this.send({ hello: { ...hello, ...overrides } });
  }

  ready(overrides: Partial<Ready> = {}): void {
    const engine = { engine: 'raw', engineVersion: 'raw 1', device: 'cpu', lowering: 'none', threads: 1 };
    this.send({
      ready: {
        ...engine,
        compileMs: 1,
        fingerprint: 'ab'.repeat(32),
        arithmetic: arithmeticVersion,
        cores: 1,
        ...overrides,
      },
    });
  }

  send(message: FromWorker): void {
    this.#stream.write(message);
  }

  /** Sends a node's gradient sum, every value `gradient`, or only some of its chunks. */
  partial(
    at: { term?: number; step: number; node: Node; samples: readonly number[] },
    vector: Float32Array,
    change: { reports?: Partial<ShardReport>; statistics?: number; chunks?: readonly number[] } = {},
  ): void {
    const { term = 1, step, node, samples } = at;
    const reports = Array.from({ length: node.count }, (_, i): ShardReport => {
      const statistics = Buffer.from(new Float32Array(change.statistics ?? 1).buffer);
      const own = { shard: node.first + i, samples: samples[i]!, lossSum: 1, correct: 0, statistics, computeMs: 1 };
      return { ...own, ...change.reports };
    });
    for (const chunk of change.chunks ?? Array.from({ length: chunkCount(vector.length) }, (_, i) => i)) {
      const sent = chunk === 0 ? reports : [];
      this.send({ partial: { term, step, node, ...chunkFields(vector, chunk), reports: sent } });
    }
  }

  /** The next message of a kind that has not been taken yet; earlier ones of other kinds are skipped. */
  async next<K extends Kind>(kind: K): Promise<Extract<ReceivedToWorker, { message: K }>> {
    for (;;) {
      while (this.#taken < this.received.length) {
        const message = this.received[this.#taken++]!;
        if (message.message === kind) return message as Extract<ReceivedToWorker, { message: K }>;
      }
      const more = new Promise<void>((resolve) => (this.#wake = resolve));
      await within(more, `${kind} for ${this.workerId}`);
    }
  }

  end(): void {
    this.#stream.end();
  }

  /** Breaks the connection, as a dying process does. */
  break(): void {
    this.#stream.cancel();
  }

  /** Stops reading from the connection until `resume`. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }
}

/** The fields of a message that carries all of `data`. */
export function withCrc(data: Uint8Array): { data: Uint8Array; crc: number } {
  return { data, crc: crc32(data) };
}
