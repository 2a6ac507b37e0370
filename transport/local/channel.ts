import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import type { Compute, Partial } from '../../proto/messages.js';
import type { SharedFile, SharedVector } from './shared-file.js';

/** Under which numbers a local worker finds its ends of the link: after standard streams and the parent's channel. */
export const linkFds = { file: 4, socket: 5 } as const;
export type LinkFds = typeof linkFds;

/** What the coordinator says. */
export interface LinkOrder {
  readonly compute: Compute;
  /** The step's parameters; undefined when the worker was sent them with another order. */
  readonly parameters: SharedVector | undefined;
}

/** What the worker answers for each node. */
export interface LinkResult extends Pick<Partial, 'term' | 'step' | 'node' | 'reports' | 'stamps'> {
  readonly gradient: SharedVector;
}

/** A message has to fit into this; vectors are not in it. */
const longestMessage = 64 * 1024 * 1024;
const prefixBytes = 4;

/**
 * One end of the way past gRPC for the steps of a worker that the coordinator started: its engine thread takes orders
 * and gives results here, the vectors in a shared file, and all else goes over the Join stream. A step takes a millisecond
 * less than over the stream, whose messages cross four threads (docs/benchmarks.md).
 *
 * Between a process and its child of the same version: messages are JavaScript values as V8 writes them, each behind its
 * length.
 */
export class LocalLink<Sent, Received> {
  #unread: Buffer = Buffer.alloc(0);
  #onMessage: ((message: Received) => void) | undefined;
  #onEnd: (() => void) | undefined;

  /** @param file - belongs to the link. */
  constructor(
    readonly file: SharedFile,
    private readonly socket: Duplex,
  ) {
    socket.on('data', (data: Buffer) => this.#received(data));
    socket.on('close', () => this.#onEnd?.());
    // Its end says all there is to know.
    socket.on('error', () => undefined);
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  /** Sends when the caller is done: whoever it wakes may take its core, which others wait for if there is more to do. */
  send(message: Sent): void {
    if (!this.isOpen) return;
    const bytes = serialize(message);
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32LE(bytes.byteLength);
    this.socket.cork();
    this.socket.write(Buffer.concat([prefix, bytes]));
    process.nextTick(() => this.socket.uncork());
  }

  /** Whoever listens last gets the messages. @param onEnd - called when the other process has closed its end. */
  listen(onMessage: (message: Received) => void, onEnd: () => void = () => undefined): void {
    this.#onMessage = onMessage;
    this.#onEnd = onEnd;
  }

  close(): void {
    this.socket.destroy();
    this.file.close();
  }

  #received(data: Buffer): void {
    this.#unread = this.#unread.byteLength > 0 ? Buffer.concat([this.#unread, data]) : data;
    for (let message = this.#next(); message !== undefined; message = this.#next()) this.#onMessage?.(message);
  }

  /** The first message, once all of it is there. What cannot be one ends the link. */
  #next(): Received | undefined {
    if (this.#unread.byteLength < prefixBytes) return undefined;
    const end = prefixBytes + this.#unread.readUInt32LE();
    if (this.#unread.byteLength < Math.min(end, longestMessage)) return undefined;
    try {
      const message = deserialize(this.#unread.subarray(prefixBytes, end)) as Received;
      this.#unread = this.#unread.subarray(end);
      return message;
    } catch {
      this.#unread = Buffer.alloc(0);
      this.socket.destroy();
      return undefined;
    }
  }
}
