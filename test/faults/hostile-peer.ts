import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Cluster } from '../../transport/services.js';
import type { FromWorker } from '../../proto/messages.js';
import { within } from '../proto/wire.js';

/** Outcome of a call, from gRPC's trailers. */
export interface CallEnd {
  /** gRPC status, or undefined if the connection was cut. */
  readonly status: number | undefined;
  readonly message: string;
}

const { requestSerialize } = Cluster.service['Join'] as { requestSerialize: (message: FromWorker) => Buffer };

/** The bytes of a FromWorker message. */
export function encoded(message: FromWorker): Buffer {
  return requestSerialize(message);
}

/** A gRPC frame; its declared length may differ from the real one. */
export function frame(bytes: Uint8Array, declaredBytes = bytes.byteLength, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(declaredBytes, 1);
  return Buffer.concat([head, bytes]);
}

/** An HTTP/2 connection for calls with arbitrary content. */
export class HostilePeer {
  readonly session: ClientHttp2Session;
  readonly #streams: ClientHttp2Stream[] = [];

  constructor(address: string) {
    this.session = connectHttp2(`http://${address}`);
    this.session.on('error', () => undefined);
  }

  /** Opens a call of any path. */
  open(path = '/lockstep.v1.Cluster/Join', headers: Record<string, string> = {}): RawCall {
    const own = { 'content-type': 'application/grpc', te: 'trailers', ...headers };
    const stream = this.session.request({ ':method': 'POST', ':path': path, ...own });
    this.#streams.push(stream);
    return new RawCall(stream);
  }

  /** Resets open calls and closes the connection; its socket isn't cut while bytes are in flight. */
  close(): void {
    for (const stream of this.#streams) stream.close();
    this.session.close();
  }
}

/** One call, written byte by byte. */
export class RawCall {
  readonly #ended: Promise<CallEnd>;

  constructor(readonly stream: ClientHttp2Stream) {
    this.#ended = new Promise((resolve) => {
      const take = (headers: Record<string, unknown>) => {
        if (headers['grpc-status'] === undefined) return;
        const message = decodeURI((headers['grpc-message'] as string | undefined) ?? '');
        resolve({ status: Number(headers['grpc-status']), message });
      };
      stream.on('response', take);
      stream.on('trailers', take);
      stream.on('close', () => resolve({ status: undefined, message: 'closed' }));
      stream.on('error', () => resolve({ status: undefined, message: 'error' }));
    });
    stream.resume();
  }

  write(...frames: Uint8Array[]): this {
    for (const bytes of frames) if (!this.stream.destroyed && this.stream.writable) this.stream.write(bytes);
    return this;
  }

  end(): this {
    this.stream.end();
    return this;
  }

  async ended(limitMs = 15_000): Promise<CallEnd> {
    return within(this.#ended, 'the call to end', limitMs);
  }
}

/**
 * A TCP connection that sends `bytes`; resolves when the other side has closed it, at the latest after 20 s because no
 * ping was answered.
 */
export async function sendRaw(address: string, bytes: Uint8Array): Promise<void> {
  const socket = openRaw(address);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(bytes);
  socket.resume();
  await within(closed, 'the connection to be closed', 30_000).finally(() => socket.destroy());
}

export function openRaw(address: string): Socket {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  return socket;
}
