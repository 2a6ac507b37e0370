import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Cluster } from '../../proto/services.js';
import type { FromWorker } from '../../proto/messages.js';
import { within } from '../proto/wire.js';

/** How a call ended, as gRPC's trailers say. */
export interface CallEnd {
  /** gRPC status, or undefined where the connection was cut. */
  readonly status: number | undefined;
  readonly message: string;
}

const { requestSerialize } = Cluster.service['Join'] as { requestSerialize: (message: FromWorker) => Buffer };

/** The bytes of a FromWorker message. */
export function encoded(message: FromWorker): Buffer {
  return requestSerialize(message);
}

/** A gRPC frame; it may declare another length than it has. */
export function frame(bytes: Uint8Array, declaredBytes = bytes.byteLength, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(declaredBytes, 1);
  return Buffer.concat([head, bytes]);
}

/** An HTTP/2 connection on which calls of any content can be made. */
export class HostilePeer {
  readonly session: ClientHttp2Session;

  constructor(address: string) {
    this.session = connectHttp2(`http://${address}`);
    this.session.on('error', () => undefined);
  }

  /** Opens a call of any path. */
  open(path = '/lockstep.v1.Cluster/Join', headers: Record<string, string> = {}): RawCall {
    const own = { 'content-type': 'application/grpc', te: 'trailers', ...headers };
    return new RawCall(this.session.request({ ':method': 'POST', ':path': path, ...own }));
  }

  close(): void {
    this.session.destroy();
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

/** One frame of HTTP/2 (RFC 9113, 4.1). */
function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Headers as literals that no table keeps (RFC 7541, 6.2.2). */
function http2Headers(headers: Readonly<Record<string, string>>): Buffer {
  const literal = (text: string) => [text.length, ...Buffer.from(text)];
  return Buffer.from(Object.entries(headers).flatMap(([name, value]) => [0, ...literal(name), ...literal(value)]));
}

/**
 * Opens a Join stream by hand and sends 16 KiB frames of data on it, whatever the other side says: windows, resets and
 * the call's end are passed over. Settles when `total` bytes are out, the connection is closed, or nothing is taken.
 */
export async function floodJoin(address: string, first: Uint8Array, total: number): Promise<void> {
  const socket = openRaw(address);
  socket.resume();
  const names = { ':method': 'POST', ':scheme': 'http', ':path': '/lockstep.v1.Cluster/Join', ':authority': 'x' };
  const headers = http2Headers({ ...names, 'content-type': 'application/grpc', te: 'trailers' });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(http2Frame(4, 0, 0, new Uint8Array(0)));
  socket.write(http2Frame(1, 4, 1, headers));
  socket.write(http2Frame(0, 0, 1, first));
  const data = http2Frame(0, 0, 1, Buffer.alloc(16_384));
  for (let sent = 0; sent < total && !socket.destroyed; sent += data.byteLength) {
    if (socket.write(data)) continue;
    const taken = new Promise<void>((resolve) => socket.once('drain', resolve).once('close', resolve));
    const isTaken = await within(taken, 'the flood to be taken', 1_000).then(
      () => true,
      () => false,
    );
    if (!isTaken) break;
  }
  socket.destroy();
}

/** A TCP connection that sends `bytes`; settles when the other side has closed it. */
export async function sendRaw(address: string, bytes: Uint8Array): Promise<void> {
  const socket = openRaw(address);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(bytes);
  socket.resume();
  await within(closed, 'the connection to be closed', 15_000).finally(() => socket.destroy());
}

export function openRaw(address: string): Socket {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  return socket;
}
