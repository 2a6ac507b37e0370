import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { ClusterCertificates } from '../../transport/certificates.js';
import type { StatusReply } from '../../proto/messages.js';
import { Control } from '../../transport/services.js';

/** A coordinator with the job's own certificates that sends arbitrary bytes. */
export class HostileCoordinator {
  /** Closed connections, by either side. */
  closed = 0;
  opened = 0;
  readonly #server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor({ ca, coordinator }: Pick<ClusterCertificates, 'ca' | 'coordinator'>, behave: Behaviour) {
    const tls = { ca, ...coordinator, requestCert: true, rejectUnauthorized: true } as const;
    this.#server = createSecureServer({ ...tls, settings: { maxHeaderListSize: 2 ** 20 }, maxSessionMemory: 100 });
    this.#server.on('session', (session) => {
      this.opened += 1;
      this.#sessions.add(session);
      session.on('close', () => {
        this.closed += 1;
        this.#sessions.delete(session);
      });
      session.on('error', () => undefined);
    });
    this.#server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      behave(stream);
    });
    this.#server.on('error', () => undefined);
  }

  async listen(host = '127.0.0.1', port = 0): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
    await closed;
  }
}

export type Behaviour = (stream: ServerHttp2Stream) => void;

const service = Control.service as ServiceDefinition & { Watch: { responseSerialize(reply: object): Buffer } };

/** The bytes of a status. */
export function statusBytes(reply: Partial<StatusReply>): Buffer {
  return service.Watch.responseSerialize(reply);
}

/** A gRPC message. */
export function frame(message: Uint8Array, compressed = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

export const training = frame(statusBytes({ state: 'training', step: 7 }));

export function respond(stream: ServerHttp2Stream, headers: Readonly<Record<string, string>> = {}): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...headers }, { waitForTrailers: true });
  stream.on('wantTrailers', () => !stream.destroyed && stream.sendTrailers({ 'grpc-status': '0' }));
}

/** Writes `bytes` for as long as the other side accepts them. */
export function flood(stream: ServerHttp2Stream, bytes: Buffer): void {
  const write = () => {
    while (!stream.destroyed && stream.write(bytes));
  };
  stream.on('drain', write);
  write();
}
