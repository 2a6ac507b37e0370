import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { ClusterError, toStatus } from '../../proto/errors.js';

/** Time that a peer has to make a call and read the answer. */
const limitMs = 2_000;

/** Answers every call of a TLS client without a trusted certificate with the reason. */
export class RejectedPeers {
  readonly #server: Http2Server = createServer({
    settings: { maxConcurrentStreams: 2, maxHeaderListSize: 8_192 },
    maxSessionMemory: 1,
    maxOutstandingPings: 2,
    maxSessionInvalidFrames: 2,
    maxSessionRejectedStreams: 2,
  });

  constructor() {
    this.#server.on('stream', answer);
    this.#server.on('sessionError', () => undefined);
  }

  /** Takes over the connection. */
  reject(socket: TLSSocket): void {
    const timer = setTimeout(() => socket.destroy(), limitMs);
    socket.once('close', () => clearTimeout(timer));
    this.#server.emit('connection', socket);
  }
}

function answer(stream: ServerHttp2Stream): void {
  stream.on('error', () => undefined);
  const { code, details, metadata } = toStatus(rejection(stream.session?.socket as TLSSocket));
  const status = { 'grpc-status': code, 'grpc-message': encodeURI(details), ...metadata.toHttp2Headers() };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
  stream.session?.close();
}

/** Error that describes the client's certificate. Its names are untrusted text, so they are truncated. */
function rejection(socket: TLSSocket): ClusterError {
  const { subject, issuer } = socket.getPeerCertificate();
  const name = (of: typeof subject | undefined) => `"${String(of?.CN ?? '').slice(0, 80)}"`;
  const found = subject
    ? `that of ${name(subject)}, signed by ${name(issuer)} (${String(socket.authorizationError)})`
    : 'none';
  return new ClusterError(
    'UNAUTHENTICATED',
    `call: expected a certificate for clients, signed by the cluster's CA, got ${found}; ` +
      'pass --tls-cert, --tls-key and --tls-ca with the files that were made for the workers of this cluster',
  );
}
