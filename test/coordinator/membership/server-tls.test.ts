import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatEndpoint } from '../../../transport/listen.js';
import type { JoinStream } from '../../../transport/grpc-transport.js';
import { ClusterServer, type Handlers } from '../../../coordinator/membership/server.js';
import { callMetadata } from '../../../transport/auth.js';
import { fromServiceError } from '../../../proto/errors.js';
import type { TlsIdentity } from '../../../transport/tls-identity.js';
import { channelOptions, Cluster, Control } from '../../../transport/services.js';
import { type ChannelSecurity, channelSecurity } from '../../../transport/tls.js';
import { dayMs, type Identities, makeIdentities } from '../../proto/identities.js';
import { within } from '../../proto/wire.js';

let ours: Identities;
let others: Identities;
beforeAll(async () => {
  [ours, others] = await Promise.all([makeIdentities(), makeIdentities()]);
});

/** A server with TLS that counts the calls that reach its services. */
async function serve(identity: TlsIdentity, token?: string, overrides: Partial<Handlers> = {}) {
  const calls = { count: 0 };
  const handlers: Handlers = {
    cluster: { Join: (stream) => stream.end(), Beat: (stream) => stream.end() },
    data: { Fetch: (call) => call.end() },
    control: { Status: (_, reply) => reply(null, { job: `call ${++calls.count}` } as never) },
  };
  const server = new ClusterServer({ ...handlers, ...overrides }, { tls: identity, token });
  onTestFinished(() => server.close(0));
  const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { server, calls, port, address: formatEndpoint({ host, port }) };
}

/** Requests the status. @throws ClusterError */
function ask(address: string, tls: TlsIdentity, token?: string): Promise<string> {
  return askWith(channelSecurity(tls, address), address, token);
}

/** gRPC would ask for an IP address otherwise, which Node.js warns of. */
const byName = { 'grpc.ssl_target_name_override': 'localhost' };

function askWith({ credentials, options }: ChannelSecurity, address: string, token?: string): Promise<string> {
  const local = { 'grpc.use_local_subchannel_pool': 1 };
  const client = new Control(address, credentials, { ...channelOptions, ...options, ...local });
  onTestFinished(() => client.close());
  return new Promise((resolve, reject) => {
    client.Status({}, callMetadata(token), { deadline: Date.now() + 5_000 }, (error, reply) =>
      error ? reject(fromServiceError(error, 'status')) : resolve(reply!.job),
    );
  });
}

async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return within(
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], ...options }, () => resolve(socket));
      socket.on('error', reject);
      onTestFinished(() => void socket.destroy());
    }),
    'a handshake',
  );
}

const closed = (socket: NodeJS.EventEmitter) => new Promise((resolve) => socket.once('close', resolve));

describe('a client with mutual TLS', () => {
  it('sends nothing to a coordinator with another name, address or CA', async () => {
    const elsewhere = await makeIdentities(['gpu-1.lab', '10.0.0.5']);
    const { address, calls } = await serve(elsewhere.coordinator);
    const strange = [
      {},
      { serverName: 'gpu-2.lab' },
      { serverName: '10.0.0.6' },
      { serverName: 'gpu-1.lab', ca: ours.worker.ca },
    ];
    for (const change of strange) {
      await expect(ask(address, { ...elsewhere.worker, ...change })).rejects.toMatchObject({ code: 'UNREACHABLE' });
    }
    expect(calls.count).toBe(0);
    for (const serverName of ['gpu-1.lab', '10.0.0.5']) {
      expect(await ask(address, { ...elsewhere.worker, serverName })).toBe(`call ${calls.count}`);
    }
    expect(calls.count).toBe(2);
  });

  it('does not take another worker for the coordinator', async () => {
    const { address, calls } = await serve(ours.worker);
    const asked = ask(address, { ...ours.worker, serverName: 'lockstep worker' });
    await expect(asked).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(calls.count).toBe(0);
  });
});

describe('a server with mutual TLS', () => {
  it("answers those with a worker's or the coordinator's certificate", async () => {
    const { address } = await serve(ours.coordinator);
    expect(await ask(address, ours.worker)).toBe('call 1');
    expect(await ask(address, ours.coordinator)).toBe('call 2');
    expect(await ask(address, { ...ours.worker, serverName: 'localhost' })).toBe('call 3');
  });

  it('still asks for the token', async () => {
    const token = 'a-secret-of-sixteen-or-more';
    const { address } = await serve(ours.coordinator, token);
    await expect(ask(address, ours.worker)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await ask(address, ours.worker, token)).toBe('call 1');
  });

  it('speaks TLS 1.3 and nothing older', async () => {
    const { port } = await serve(ours.coordinator);
    const socket = await handshake(port, ours.worker);
    expect([socket.getProtocol(), socket.alpnProtocol, socket.authorized]).toEqual(['TLSv1.3', 'h2', true]);
    await expect(handshake(port, { ...ours.worker, maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });

  it('tells peers with a certificate of another CA why, and lets no call through', async () => {
    const { address, calls } = await serve(ours.coordinator);
    const asked = ask(address, { ...others.worker, ca: ours.worker.ca });
    await expect(asked).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      retryable: false,
      message: expect.stringMatching(
        /^call: expected a certificate for clients, signed by the cluster's CA, got that of "lockstep worker", signed by "lockstep CA [0-9a-f]{8}" \(/,
      ) as string,
    });
    expect(calls.count).toBe(0);
  });

  it('tells peers without a certificate why', async () => {
    const { address, calls } = await serve(ours.coordinator);
    const none = credentials.createSsl(Buffer.from(ours.worker.ca));
    await expect(askWith({ credentials: none, options: byName }, address)).rejects.toThrow(
      /^call: expected a certificate for clients, signed by the cluster's CA, got none; pass --tls-cert/,
    );
    expect(calls.count).toBe(0);
  });

  it('does not mistake another certificate for an expired one of its own CA', async () => {
    const old = await makeIdentities(undefined, Date.now() - 2 * dayMs);
    const { address, calls } = await serve({ ...ours.coordinator, ca: ours.coordinator.ca + old.worker.ca });
    const error = ask(address, { ...old.worker, ca: ours.worker.ca });
    await expect(error).rejects.toThrow('CERT_HAS_EXPIRED');
    expect(calls.count).toBe(0);
  });

  it('disconnects peers without a certificate, even if they send nothing or resume an earlier session', async () => {
    const { port, calls } = await serve(ours.coordinator);
    const first = await handshake(port, { ca: ours.worker.ca });
    const hungUp = closed(first.resume());
    // Node.js treats a resumed TLS session as authorized, even without a certificate.
    const session = await within(Promise.race([once(first, 'session'), hungUp]), 'a session, or the end');
    const again = await handshake(port, {
      ca: ours.worker.ca,
      ...(Array.isArray(session) && { session: session[0] as Buffer }),
    });
    await within(Promise.all([hungUp, closed(again.resume())]), 'both connections to be closed');
    expect(calls.count).toBe(0);
  });

  it("continues after input that isn't TLS", async () => {
    const { address, port } = await serve(ours.coordinator);
    const plain = connectPlain(port, '127.0.0.1', () => plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    plain.on('error', () => undefined).resume();
    await within(closed(plain), 'the connection to be closed');
    expect(await ask(address, ours.worker)).toBe('call 1');
  });

  it('cuts off, when it closes, connections before and after their handshake', async () => {
    const { server, port } = await serve(ours.coordinator);
    const before = connectPlain(port, '127.0.0.1');
    await new Promise((resolve) => before.once('connect', resolve));
    const after = await handshake(port, ours.worker);
    const both = Promise.all([before, after].map((socket) => closed(socket.on('error', () => undefined).resume())));
    await within(server.close(20), 'the server to close');
    await within(both, 'the connections to be closed');
  });
});

it('counts the bytes of a peer under TLS too', async () => {
  let join!: (stream: JoinStream) => void;
  const joined = new Promise<JoinStream>((resolve) => (join = resolve));
  const Join = (stream: JoinStream) => join(stream);
  const { server, address } = await serve(ours.coordinator, undefined, {
    cluster: { Join, Beat: (beat) => beat.end() },
  });
  const { credentials, options } = channelSecurity(ours.worker, address);
  const client = new Cluster(address, credentials, { ...channelOptions, ...options });
  onTestFinished(() => client.close());
  const call = client.Join(callMetadata());
  call.on('error', () => undefined);
  const stream = await within(joined, 'the call');
  const before = server.bytesFrom(stream.getPeer());
  expect(before).toBeGreaterThan(0);
  const came = new Promise((resolve) => stream.once('data', resolve));
  call.write({ leaving: { reason: 'x'.repeat(1_000) } });
  await within(came, 'the message');
  expect(server.bytesFrom(stream.getPeer()) - before).toBeGreaterThanOrEqual(1_000);
});
