import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import type { Compute, Partial } from '../../proto/messages.js';
import type { SharedFile, SharedVector } from './shared-file.js';

/** File descriptors that a worker process inherits for its channel, after the standard streams and the IPC channel. */
export const localFds = { file: 4, socket: 5 } as const;
export type LocalFds = typeof localFds;

/** Message to a worker. */
export interface LocalCompute {
  readonly compute: Compute;
  /** The step's parameters; undefined if an earlier message brought them. */
  readonly parameters: SharedVector | undefined;
}

/** Message to the coordinator, one per node. */
export interface LocalResult extends Pick<Partial, 'term' | 'step' | 'node' | 'reports' | 'stamps'> {
  readonly gradient: SharedVector;
}

/** Longest message; vectors aren't part of it. */
const maxMessageBytes = 64 * 1024 * 1024;
const prefixBytes = 4;

/**
 * One end of the socket and the shared file between a coordinator and a worker process that it started. It lives as
 * long as that process, across sessions.
 *
 * Both processes run the same version, so messages are JavaScript values in V8's serialization format, each preceded by
 * its length.
 */
export class LocalChannel<Sent, Received> {
  #unread: Buffer = Buffer.alloc(0);
  #onMessage: ((message: Received) => void) | undefined;
  #onEnd: (() => void) | undefined;

  /** @param file - closed with the channel. */
  constructor(
    readonly file: SharedFile,
    private readonly socket: Duplex,
  ) {
    socket.on('data', (data: Buffer) => this.#received(data));
    socket.on('close', () => this.#onEnd?.());
    // 'close' follows.
    socket.on('error', () => undefined);
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  /** Sends after the current call stack, because the process it wakes may take this core. */
  send(message: Sent): void {
    if (!this.isOpen) return;
    const bytes = serialize(message);
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32LE(bytes.byteLength);
    this.socket.cork();
    this.socket.write(Buffer.concat([prefix, bytes]));
    process.nextTick(() => this.socket.uncork());
  }

  /** Replaces earlier listeners. @param onEnd - called when the other process has closed its end. */
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

  /** The first complete message. Closes the channel if the bytes aren't one. */
  #next(): Received | undefined {
    if (this.#unread.byteLength < prefixBytes) return undefined;
    const end = prefixBytes + this.#unread.readUInt32LE();
    if (this.#unread.byteLength < Math.min(end, maxMessageBytes)) return undefined;
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
