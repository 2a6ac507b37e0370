import { credentials, makeGenericClientConstructor, type ServiceError, status } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { workerPortLimits } from '../../../transport/admission/limits.js';
import { type Endpoint, formatEndpoint } from '../../../transport/listen.js';
import { ClusterServer, type Handlers } from '../../../coordinator/membership/server.js';
import type { JoinStream } from '../../../transport/grpc-transport.js';
import { callMetadata } from '../../../transport/auth.js';
import { channelOptions } from '../../../transport/services.js';
import { hugeHeaders, headersFrame, odd, pingFrame, preface, repeated, reset } from '../http2-frames.js';
import { clusterClient, controlClient, type HealthCheck, within } from '../../proto/wire.js';

const hasIPv6 = networkInterfaces()['lo']?.some(({ address }) => address === '::1') ?? false;
const loopback: Endpoint = { host: '127.0.0.1', port: 0 };

const Beat: Handlers['cluster']['Beat'] = (stream) => stream.end();

function server(overrides: Partial<Handlers> = {}): ClusterServer {
  const handlers: Handlers = {
    cluster: { Join: (stream) => stream.end(), Beat },
    data: { Fetch: (call) => call.end() },
    control: { Status: (_, reply) => reply(null, { job: 'served' } as never) },
    ...overrides,
  };
  const created = new ClusterServer(handlers);
  onTestFinished(() => created.close(0));
  return created;
}

function health(address: string, service: string): Promise<string> {
  const client = new (makeGenericClientConstructor(healthService, 'Health'))(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const answer = new Promise<string>((resolve, reject) => {
    const check = client['Check'] as HealthCheck;
    check.call(client, { service }, (error, reply) => (error ? reject(error) : resolve(reply.status)));
  });
  return within(answer, 'a health check');
}

describe('a server', () => {
  it.each([
    ['127.0.0.1', loopback, true],
    ['IPv6, where the machine has it', { host: '::1', port: 0 }, hasIPv6],
  ])('takes a free port of %s and serves there', async (_, endpoint, present) => {
    if (!present) return;
    const bound = await server().listen(endpoint);
    expect(bound.host).toBe(endpoint.host);
    expect(bound.port).toBeGreaterThan(0);
    const job = await new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + 5_000 };
      controlClient(formatEndpoint(bound)).Status({}, callMetadata(), options, (error, reply) =>
        error ? reject(error) : resolve(reply!.job),
      );
    });
    expect(job).toBe('served');
  });

  it.each(['', 'lockstep.v1.Cluster'])('says SERVING when its health is asked for service "%s"', async (service) => {
    const bound = await server().listen(loopback);
    expect(await health(formatEndpoint(bound), service)).toBe('SERVING');
  });

  it("reports no health of services that it doesn't have", async () => {
    const bound = await server().listen(loopback);
    await expect(health(formatEndpoint(bound), 'other')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});

it('lets a peer send a whole gradient without waiting for window updates', async () => {
  const bound = await server().listen(loopback);
  const session = connectHttp2(`http://${formatEndpoint(bound)}`);
  onTestFinished(() => session.destroy());
  const bytes = channelOptions['grpc-node.flow_control_window'];
  await within(
    new Promise<void>((resolve) => {
      session.on('remoteSettings', ({ initialWindowSize }) => initialWindowSize === bytes && resolve());
    }),
    'the window of streams',
  );
  await within(new Promise<void>((resolve) => session.ping(() => resolve())), 'the window of the connection');
  expect(session.state.remoteWindowSize).toBe(bytes);
});

it("counts a peer's bytes before its message is complete", async () => {
  let join!: (stream: JoinStream) => void;
  const joined = new Promise<JoinStream>((resolve) => (join = resolve));
  const created = server({ cluster: { Join: (stream) => join(stream), Beat } });
  const session = connectHttp2(`http://${formatEndpoint(await created.listen(loopback))}`);
  onTestFinished(() => session.destroy());
  const headers = { ':method': 'POST', ':path': '/lockstep.v1.Cluster/Join', 'content-type': 'application/grpc' };
  const call = session.request({ ...headers, te: 'trailers' });
  const peer = (await within(joined, 'the call')).getPeer();
  const before = created.bytesFrom(peer);
  expect(before).toBeGreaterThan(0);
  const begun = Buffer.from([0, 0, 1, 0, 0, ...new Array<number>(995).fill(0)]);
  call.write(begun);
  await within(new Promise<void>((resolve) => session.ping(() => resolve())), 'what was written before');
  expect(created.bytesFrom(peer) - before).toBeGreaterThanOrEqual(begun.length);
  expect(created.bytesFrom('127.0.0.1:1')).toBe(0);
});

describe('an unavailable port', () => {
  it('is named, with advice, when another program listens there', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    await expect(server().listen({ ...loopback, port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      retryable: false,
      message:
        `listen: expected to listen on 127.0.0.1:${port}, got: another program is listening there; ` +
        'stop that program, or choose another port with --listen HOST:PORT (port 0 takes a free one)',
    });
  });

  it('is not reported as in use when the address is not one of this machine', async () => {
    const error = await server()
      .listen({ host: '192.0.2.1', port: 0 })
      .catch((thrown: unknown) => thrown as Error);
    expect((error as Error).message).toMatch(/^listen: expected to listen on 192\.0\.2\.1:0, got: /);
    expect((error as Error).message).toContain('EADDRNOTAVAIL');
    expect((error as Error).message).not.toContain('stop that program');
  });
});

describe('closing', () => {
  it('ends at once when no call is open', async () => {
    const created = server();
    await created.listen(loopback);
    await within(created.close(60_000), 'the server to close');
  });

  it('waits for an open call to end', async () => {
    let end!: () => void;
    const created = server({
      cluster: {
        Join: (stream) => {
          stream.write({ finish: { reason: 'soon' } });
          end = () => stream.end();
        },
        Beat,
      },
    });
    const stream = clusterClient(formatEndpoint(await created.listen(loopback))).Join(callMetadata());
    await new Promise((resolve) => stream.once('data', resolve));
    stream.resume();
    let closed = false;
    const closing = created.close(60_000).then(() => (closed = true));
    await new Promise(setImmediate);
    expect(closed).toBe(false);
    end();
    stream.end();
    await within(closing, 'the server to close');
  });

  it('cuts off a connection that has sent nothing', async () => {
    const created = server();
    const { port } = await created.listen(loopback);
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined).resume();
    await within(created.close(20), 'the server to close');
    await within(closed, 'the connection to be closed');
  });

  it('cuts off a call that does not end in time', async () => {
    const Join = (stream: JoinStream) => void stream.write({ finish: { reason: 'never ends' } });
    const created = server({ cluster: { Join, Beat } });
    const stream = clusterClient(formatEndpoint(await created.listen(loopback))).Join(callMetadata());
    const failed = new Promise<ServiceError>((resolve) =>
      stream.on('error', (error) => resolve(error as ServiceError)),
    );
    await new Promise((resolve) => stream.once('data', resolve));
    stream.resume();
    await within(created.close(20), 'the server to close');
    expect((await within(failed, 'the call to fail')).code).not.toBe(status.OK);
  });
});

describe('connections that have not authenticated', () => {
  const limits = {
    ...workerPortLimits,
    pending: { perAddress: 4, perKnownAddress: 4, total: 8 },
    authenticateMs: { unknown: 1_000, known: 1_000 },
    replaceAfterMs: 200,
  };

  async function listen(tokenOf?: string): Promise<{ server: ClusterServer; address: string; port: number }> {
    const handlers: Handlers = {
      cluster: { Join: (stream) => void stream.on('data', () => undefined), Beat },
      data: { Fetch: (call) => call.end() },
      control: { Status: (_, reply) => reply(null, { job: 'served' } as never) },
    };
    const created = new ClusterServer(handlers, { token: tokenOf }, limits);
    onTestFinished(() => created.close(0));
    const endpoint = await created.listen(loopback);
    return { server: created, address: formatEndpoint(endpoint), port: endpoint.port };
  }

  /** A connection that writes `bytes`. */
  function open(port: number, localAddress: string, bytes = Buffer.alloc(0)) {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined).resume();
    socket.write(bytes);
    return { socket, closed: new Promise<void>((resolve) => socket.once('close', () => resolve())) };
  }

  const status_ = (address: string, sent?: string) =>
    new Promise<string>((resolve, reject) => {
      const options = { deadline: Date.now() + 4_000 };
      controlClient(address).Status({}, callMetadata(sent), options, (error, reply) =>
        error ? reject(error) : resolve(reply!.job),
      );
    });

  it.each([
    ['half-open', Buffer.alloc(0)],
    ['with a preface and nothing else', preface],
    ['with a frame that never ends', Buffer.concat([preface, Buffer.from([0, 16, 0, 1])])],
    ['with a Join stream that says nothing', Buffer.concat([preface, headersFrame(1)])],
  ])('%s are dropped after the limit', async (_, bytes) => {
    const { port } = await listen();
    const { closed } = open(port, '127.0.0.1', bytes);
    const begin = performance.now();
    await within(closed, 'the connection to be dropped', 4_000);
    expect(performance.now() - begin).toBeGreaterThan(900);
  });

  it.each([
    ['more bytes than a first call needs', Buffer.concat([preface, repeated(pingFrame, 8_000)])],
    ['many calls', Buffer.concat([preface, ...[1, 3, 5, 7, 9, 11, 13, 15, 17].map(headersFrame)])],
    ['many calls that it resets', Buffer.concat([preface, ...odd(40).flatMap((id) => [headersFrame(id), reset(id)])])],
    ['headers in ten frames', Buffer.concat([preface, ...hugeHeaders(9)])],
    ['CONTINUATION frames without end', Buffer.concat([preface, ...hugeHeaders(2_000)])],
  ])('are dropped before the limit after %s', async (_, bytes) => {
    const { port } = await listen('a-secret-of-sixteen-or-more');
    const { socket, closed } = open(port, '127.0.0.1', bytes);
    await within(closed, 'the connection to be dropped', 900);
    expect(socket.destroyed).toBe(true);
  });

  it('from many addresses neither end a worker nor keep another one of its address from joining', async () => {
    const { address, port } = await listen();
    const worker = clusterClient(address).Join(callMetadata());
    const failed = new Promise((resolve) => worker.on('error', resolve));
    worker.write({ heartbeat: { phase: 'idle', residentBytes: 1 } });
    expect(await status_(address)).toBe('served');
    const held = Array.from({ length: 60 }, (_, i) => open(port, `127.0.7.${1 + i}`, preface));
    expect(await status_(address)).toBe('served');
    await within(Promise.all(held.map(({ closed }) => closed)), 'all to be dropped', 15_000);
    expect(await Promise.race([failed, Promise.resolve('alive')])).toBe('alive');
    worker.cancel();
  });

  it("don't take the places of authenticated ones: a call without the token authenticates nobody", async () => {
    const token = 'a-secret-of-sixteen-or-more';
    const { address, port } = await listen(token);
    await expect(status_(address)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    const { closed } = open(port, '127.0.0.1', Buffer.concat([preface, headersFrame(1)]));
    await within(closed, 'the connection to be dropped', 4_000);
    expect(await status_(address, token)).toBe('served');
  });
});
