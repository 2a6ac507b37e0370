import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { healthPage, MonitoringServer } from '../../../operator/kube/monitoring-server.js';
import { until } from '../../until.js';

const limitMs = 10_000;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function serve(problem?: string) {
  const pages = { '/healthz': () => healthPage(undefined), '/readyz': () => healthPage(problem) };
  const server = new MonitoringServer({ host: '127.0.0.1', port: 0, pages });
  const port = await server.listen();
  cleanups.push(() => server.close());
  return port;
}

async function get(port: number, path: string, method = 'GET'): Promise<[number, string]> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, signal: AbortSignal.timeout(5_000) });
  return [answer.status, await answer.text()];
}

/** A connection that sends `text` and then nothing more. */
async function hold(port: number, text: string, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  cleanups.push(() => socket.destroy());
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  socket.write(text);
  return socket;
}

test('answers probes, and nothing else', async () => {
  const port = await serve('initial lists incomplete');
  expect(await get(port, '/healthz')).toEqual([200, 'ok\n']);
  expect(await get(port, '/readyz')).toEqual([503, 'initial lists incomplete\n']);
  expect(await get(port, '/metrics')).toEqual([404, 'expected /healthz or /readyz\n']);
  expect(await get(port, '/toString')).toEqual([404, 'expected /healthz or /readyz\n']);
  expect(await get(port, '/healthz', 'POST')).toEqual([405, 'expected GET\n']);
});

test.each([
  ['silent', ''],
  ['half-open', 'GET /healthz HTTP/1.1\r\nHost: a\r\n'],
  ['idle', 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'],
])('a %s connection is closed within seconds', async (_what, text) => {
  const socket = await hold(await serve(), text, '127.0.0.1');
  socket.resume();
  await until(() => socket.closed, limitMs, 'the end of the connection');
});

test('600 connections that are held open from 40 addresses block no probe', async () => {
  const port = await serve();
  const texts = ['', 'GET /healthz HTTP/1.1\r\nHost: a\r\n', `GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(3000)}`];
  const addresses = Array.from({ length: 40 }, (_, i) => `127.66.0.${i + 1}`);
  const holds = addresses.flatMap((address) =>
    Array.from({ length: 15 }, (_, i) => hold(port, texts[i % 3]!, address)),
  );
  const sockets = await Promise.all(holds);
  for (let probe = 0; probe < 5; probe += 1) expect(await get(port, '/healthz')).toEqual([200, 'ok\n']);
  await until(() => sockets.filter(({ closed }) => closed).length >= 600 - 256, limitMs, 'the oldest closed');
});

test('an address that keeps opening connections has its own oldest closed', async () => {
  const port = await serve();
  const first = await hold(port, '', '127.66.1.1');
  const other = await hold(port, '', '127.66.1.2');
  await Promise.all(Array.from({ length: 16 }, () => hold(port, '', '127.66.1.1')));
  await until(() => first.closed, 1_500, 'the oldest closed');
  expect(other.closed).toBe(false);
});
