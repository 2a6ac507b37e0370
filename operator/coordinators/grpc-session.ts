import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { TlsIdentity } from '../../transport/tls-identity.js';
import { clientTls, splitAddress } from '../../transport/tls.js';
import { cleanText } from '../resource/clean-text.js';
import { GatedSocket, type Pump } from './gated-socket.js';
import { emptyMessage, GrpcFrames } from './grpc-frames.js';

const connectMs = 5_000;
/** The coordinator closes a connection whose peer is silent for 20 s. */
const pingMs = 8_000;
/** Pings that the peer may send per `pingMs`. */
const maxPings = 10;
const maxHeaderBytes = 8 * 1024;
const maxErrorText = 300;
/** `grpc-status` of a call whose certificate or token was rejected. */
const unauthenticated = '16';

export interface GrpcPeer {
  readonly address: string;
  readonly identity: TlsIdentity;
  readonly token: string;
}

export interface GrpcCall {
  /** E.g. "/lockstep.v1.Control/Watch". */
  readonly path: string;
  readonly maxReplyBytes: number;
  /** May throw, which ends the call with that error. */
  readonly onReply: (message: Buffer) => void;
  readonly signal: AbortSignal;
}

/** One side rejected the other's certificate or token. */
export class UntrustedPeer extends Error {
  override readonly name = 'UntrustedPeer';
}

/**
 * A gRPC connection to a server that may be hostile.
 *
 * grpc-js assumes trusted servers: it accepts pushed streams and any number of frames, decompresses messages, and uses
 * 190 kB per connection. Here the peer can send only uncompressed messages of bounded length and few headers, at a
 * bounded rate.
 */
export class GrpcSession {
  readonly #session: ClientHttp2Session;
  readonly #pings: NodeJS.Timeout;

  private constructor(
    socket: TLSSocket,
    private readonly gated: GatedSocket,
    private readonly peer: GrpcPeer,
  ) {
    this.#session = connect(`https://${peer.identity.serverName ?? 'lockstep'}`, {
      createConnection: () => socket,
      settings: { enablePush: false, maxHeaderListSize: maxHeaderBytes, headerTableSize: 4096 },
      ...{ maxHeaderListPairs: 32, maxOutstandingPings: 2, maxSessionMemory: 1 },
    });
    const refuse = () => this.#session.destroy(new Error('expected replies, got other frames'));
    let pings = 0;
    this.#session.on('stream', refuse);
    this.#session.on('ping', () => (pings += 1) > maxPings && refuse());
    // Calls report the error.
    this.#session.on('error', () => undefined);
    this.#session.on('close', () => socket.destroy());
    this.#pings = setInterval(() => {
      pings = 0;
      if (!this.#session.destroyed) this.#session.ping(() => undefined);
    }, pingMs).unref();
  }

  /** @throws Error if TLS with the expected server isn't established in time. */
  static async connect(peer: GrpcPeer, pump: Pump, signal: AbortSignal): Promise<GrpcSession> {
    const { address, identity } = peer;
    const gated = new GatedSocket(connectTcp(splitAddress(address)), pump);
    const socket = connectTls({ socket: gated, ALPNProtocols: ['h2'], ...clientTls(identity, address) });
    socket.on('error', () => undefined);
    gated.once('close', () => socket.destroy(gated.failure));
    const limit = AbortSignal.timeout(connectMs);
    try {
      await once(socket, 'secureConnect', { signal: AbortSignal.any([signal, limit]) });
      if (socket.alpnProtocol !== 'h2') throw new Error('expected HTTP/2, got another protocol');
      return new GrpcSession(socket, gated, peer);
    } catch (error) {
      socket.destroy();
      gated.destroy();
      if (socket.authorizationError) throw new UntrustedPeer((error as Error).message, { cause: error });
      if (!limit.aborted) throw error;
      throw new Error(`expected a connection within ${connectMs / 1000} s, got none`, { cause: error });
    }
  }

  /** Makes a call with an empty request. Resolves once the server has ended it successfully. @throws Error */
  async call({ path, maxReplyBytes, onReply, signal }: GrpcCall): Promise<void> {
    const stream = this.#session.request({
      ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      authorization: `Bearer ${this.peer.token}`,
    });
    const frames = new GrpcFrames(maxReplyBytes);
    let ending: IncomingHttpHeaders = {};
    stream.on('response', (headers) => {
      ending = headers;
      checkResponse(stream, headers);
    });
    stream.on('trailers', (headers: IncomingHttpHeaders) => {
      ending = headers;
    });
    stream.on('data', (chunk: Buffer) => guard(stream, () => frames.read(chunk, onReply)));
    const cancel = () => stream.destroy(new Error('cancelled'));
    signal.addEventListener('abort', cancel, { once: true });
    try {
      stream.end(emptyMessage);
      await once(stream, 'close');
    } finally {
      signal.removeEventListener('abort', cancel);
      // A stream that is being destroyed may report more than one error.
      stream.on('error', () => undefined);
    }
    checkStatus(ending, this.gated.failure);
  }

  close(): void {
    clearInterval(this.#pings);
    this.#session.destroy();
  }
}

function checkResponse(stream: ClientHttp2Stream, headers: IncomingHttpHeaders): void {
  const status = Number(headers[':status']);
  const encoding = String(headers['grpc-encoding'] ?? 'identity');
  if (status === 200 && encoding === 'identity') return;
  const got = cleanText(`status ${status}, encoding ${encoding}`, 80);
  stream.destroy(new Error(`expected a gRPC reply without compression, got ${got}`));
}

function guard(stream: ClientHttp2Stream, work: () => void): void {
  try {
    if (!stream.destroyed) work();
  } catch (error) {
    stream.destroy(error as Error);
  }
}

/**
 * Throws unless the call succeeded.
 * @param ending - trailers, or headers if there was no reply.
 * @param failure - of the connection.
 */
function checkStatus(ending: IncomingHttpHeaders, failure: Error | undefined): void {
  const code = ending['grpc-status'];
  if (code === '0') return;
  if (code === undefined) throw failure ?? new Error('expected the call to complete, got a closed connection');
  const words = cleanText(decode(String(ending['grpc-message'] ?? '')), maxErrorText);
  const problem = `expected success, got status ${cleanText(String(code), 8)}: ${words}`;
  throw code === unauthenticated ? new UntrustedPeer(problem) : new Error(problem);
}

/** Decodes a percent-encoded `grpc-message`. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.slice(0, 3 * maxErrorText));
  } catch {
    return text;
  }
}
