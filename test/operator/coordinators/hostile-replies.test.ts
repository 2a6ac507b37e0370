import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { CoordinatorCalls } from '../../../operator/coordinators/coordinator-calls.js';
import type { TrainingJob } from '../../../operator/resource/training-job.js';
import { type ClusterCertificates, makeCertificates } from '../../../transport/certificates.js';
import { until } from '../../until.js';
import {
  type Behaviour,
  flood,
  frame,
  HostileCoordinator,
  respond,
  statusBytes,
  training,
} from '../hostile-coordinator.js';

const limitMs = 15_000;
const job = { metadata: { name: 'job', namespace: 'default', uid: 'uid' } } as TrainingJob;
let certificates: ClusterCertificates;
beforeAll(async () => {
  certificates = await makeCertificates({ hosts: ['job-coordinator'], days: 1, nowMs: Date.now() });
});

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function follow(address: string) {
  const news: string[] = [];
  const outcomes: string[] = [];
  const identity = { ca: certificates.ca, ...certificates.worker, token: 'token' };
  const calls = new CoordinatorCalls({
    secrets: { identity: () => Promise.resolve(identity), forget: () => undefined },
    onUpdate: () => news.push(calls.answer('uid')?.status?.state ?? 'none'),
    onCall: (method, outcome) => outcomes.push(`${method} ${outcome}`),
  });
  cleanups.push(() => calls.close());
  calls.follow(job, { pod: 'job-coordinator-1', address, serverName: 'job-coordinator' });
  return { calls, news, outcomes };
}

async function attack(behave: Behaviour) {
  const server = new HostileCoordinator(certificates, behave);
  const port = await server.listen();
  cleanups.push(() => server.close());
  return { server, ...follow(`127.0.0.1:${port}`) };
}

const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
const endlessly = (bytes: Buffer) => (stream: Parameters<Behaviour>[0]) => {
  respond(stream);
  flood(stream, bytes);
};

test.each<[string, Behaviour, string]>([
  ['a reply of 257 KiB', endlessly(frame(Buffer.alloc(257 * 1024))), 'expected a message of at most 262144 bytes'],
  ['a reply that claims 4 GB', endlessly(frame(Buffer.alloc(9), 0, 0xffffffff)), 'got 4294967295'],
  [
    'a gzip bomb',
    (s) => (respond(s, { 'grpc-encoding': 'gzip' }), s.write(frame(bomb, 1))),
    'expected an uncompressed message',
  ],
  [
    'a compressed reply that says it is none',
    endlessly(frame(bomb.subarray(0, 9), 1)),
    'expected an uncompressed message',
  ],
  ['statuses as fast as it can', endlessly(training), 'expected at most 2 statuses per second, got more'],
  ['empty messages as fast as it can', endlessly(frame(Buffer.alloc(0))), 'expected state waiting'],
  ['bytes that are no status', endlessly(frame(Buffer.alloc(64, 0xff))), 'watch 127.0.0.1'],
  ['groups in groups', endlessly(frame(Buffer.alloc(200_000, 0x0b))), 'got a group'],
  [
    'a state that there is not',
    endlessly(frame(statusBytes({ state: 'owned\u001b[2J' }))),
    String.raw`got "owned [2J"`,
  ],
  [
    'a digest that is none',
    endlessly(frame(statusBytes({ state: 'training', digest: 'x'.repeat(65) }))),
    'expected 64 hexadecimal digits as digest',
  ],
  [
    '130,000 workers',
    endlessly(frame(Buffer.concat([statusBytes({ state: 'training' }), Buffer.from('6a00'.repeat(130_000), 'hex')]))),
    'expected at most 4096 workers',
  ],
  ['headers of 200 KB', (s) => respond(s, { evil: 'x'.repeat(200_000) }), 'watch 127.0.0.1'],
  [
    'an error text of 50 KB',
    (s) => s.respond({ ':status': 200, 'grpc-status': '13', 'grpc-message': 'e'.repeat(7_000) }, { endStream: true }),
    'expected success, got status 13: eeee',
  ],
  ['a page instead of gRPC', (s) => (s.respond({ ':status': 404 }), s.end('<html>')), 'expected a'],
  ['an end without a status', (s) => (s.respond({ ':status': 200 }), s.end()), 'got a closed connection'],
])('%s is rejected with a short message, and the connection closed', async (_what, behave, words) => {
  const { server, calls, outcomes } = await attack(behave);
  await until(() => outcomes.length > 0, limitMs, 'the end of the stream');
  expect(outcomes[0]).toBe('watch failed');
  const { error } = calls.answer('uid')!;
  expect(error).toContain(words);
  expect(error!.length).toBeLessThan(400);
  await until(() => server.closed > 0, limitMs, 'the end of the connection');
});

/** An HTTP/2 frame. */
function http2Frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Push promises of 4,000 streams in answer to the call: method, scheme, path and authority are in HPACK's tables. */
const promises = Array.from({ length: 4_000 }, (_, index) => {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(2 * index + 2);
  return http2Frame(5, 4, 1, Buffer.concat([id, Buffer.from('828784410161', 'hex')]));
});

/** A TLS server that answers the client's first bytes with `frames`, whatever those bytes are. */
async function answerWith(frames: readonly Buffer[]) {
  const { ca, coordinator } = certificates;
  const state = { closed: 0 };
  const server = createTlsServer({ ca, ...coordinator, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => undefined).on('close', () => (state.closed += 1));
    socket.once('data', () => socket.write(Buffer.concat([http2Frame(4, 0, 0), ...frames])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => void server.close());
  return { state, ...follow(`127.0.0.1:${(server.address() as AddressInfo).port}`) };
}

test('a connection is closed that floods with settings or pings, pushes streams or is not HTTP/2', async () => {
  const attacks = await Promise.all([
    answerWith(Array.from({ length: 40_000 }, () => http2Frame(4, 0, 0))),
    answerWith(Array.from({ length: 40_000 }, () => http2Frame(6, 0, 0, Buffer.alloc(8)))),
    answerWith(promises),
    answerWith([Buffer.from('HTTP/1.1 200 OK\r\n\r\n')]),
  ]);
  for (const { state, outcomes } of attacks) {
    await until(() => state.closed > 0 && outcomes.length > 0, limitMs, 'the end of the connection');
    expect(outcomes[0]).toBe('watch failed');
  }
});

test('endless pings close the connection', async () => {
  const { server, outcomes } = await attack((stream) => {
    respond(stream);
    const ping = () => stream.session?.destroyed === false && stream.session.ping(() => ping());
    ping();
  });
  await until(() => server.closed > 0 && outcomes.length > 0, limitMs, 'the end of the connection');
  expect(outcomes[0]).toBe('watch failed');
});

test('one that does not end its stream after its last status is disconnected, and not polled again', async () => {
  const { server, calls, news, outcomes } = await attack((stream) => {
    respond(stream);
    stream.write(training);
    setTimeout(() => stream.write(frame(statusBytes({ state: 'finished', step: 9 }))), 50);
    setTimeout(() => stream.write(training), 100);
  });
  await until(() => server.closed > 0, limitMs, 'the end of the connection');
  expect(news).toEqual(['training', 'finished']);
  expect(outcomes).toEqual(['watch ok']);
  expect(calls.answer('uid')?.status?.step).toBe(9);
  expect(server.opened).toBe(1);
});

test('another state each time is planned for 5 times, and then no more often than progress', async () => {
  let sent = 0;
  const { news, calls } = await attack((stream) => {
    respond(stream);
    for (; sent < 28; sent += 1) {
      stream.write(frame(statusBytes({ state: sent % 2 === 0 ? 'training' : 'paused', step: sent })));
    }
  });
  await until(() => calls.answer('uid')?.status?.step === 27, limitMs, 'the last status');
  expect(news).toEqual(['training', 'paused', 'training', 'paused', 'training']);
});

test('one that stalls its TLS handshake is given up after 5 s', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { calls } = follow(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  cleanups.push(() => void server.close());
  await until(() => calls.answer('uid')?.error !== undefined, limitMs, 'an error');
  expect(calls.answer('uid')?.error).toContain('expected a connection within 5 s, got none');
});
