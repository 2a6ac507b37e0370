import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HealthPort } from '../../../../observe/page/server/health-port.js';
import { within } from '../../../proto/wire.js';

async function open(): Promise<{ address: string; port: number }> {
  const health = (await HealthPort.open('0'))!;
  onTestFinished(() => health.close());
  return { address: health.address, port: Number(new URL(health.address).port) };
}

async function hold(port: number, localAddress: string, text = ''): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined).resume();
  await within(new Promise((resolve) => socket.once('connect', resolve)), 'a connection');
  socket.write(text);
  return { socket, closed };
}

describe('the health port', () => {
  it('answers GET and HEAD of /healthz with ok, closes the connection, and has nothing else', async () => {
    const { address } = await open();
    const found = await fetch(address);
    expect([found.status, await found.text(), found.headers.get('Connection')]).toEqual([200, 'ok\n', 'close']);
    expect((await fetch(address, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(address, { method: 'POST' })).status).toBe(404);
    expect((await fetch(new URL('/', address))).status).toBe(404);
  });

  it('is on loopback for a port alone, and refuses an invalid address', async () => {
    expect((await open()).address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/healthz$/);
    await expect(HealthPort.open('nowhere')).rejects.toThrow('--health: expected HOST:PORT');
    expect(await HealthPort.open(undefined)).toBeUndefined();
  });

  it('reports which port is taken', async () => {
    const { port } = await open();
    await expect(HealthPort.open(String(port))).rejects.toThrow(
      `--health 127.0.0.1:${port}: expected a free port of this machine`,
    );
  });

  it.each([
    ['says nothing', ''],
    ['never ends its headers', 'GET /healthz HTTP/1.1\r\nX: '],
  ])('closes a connection that %s, after 2 s', async (_, text) => {
    const { port } = await open();
    const { closed } = await hold(port, '127.0.0.1', text);
    await within(closed, 'the connection to be closed', 4_000);
  });

  it('answers while one address, or many, hold as many connections as they like', async () => {
    const { address, port } = await open();
    const same = await Promise.all(Array.from({ length: 40 }, () => hold(port, '127.0.0.2')));
    const many = await Promise.all(Array.from({ length: 300 }, (_, i) => hold(port, `127.0.${1 + (i % 30)}.1`)));
    expect((await within(fetch(address), 'an answer', 1_000)).status).toBe(200);
    const open_ = (held: readonly { socket: Socket }[]) => held.filter(({ socket }) => !socket.destroyed).length;
    expect(open_(same)).toBeLessThanOrEqual(16);
    expect(open_(many)).toBeLessThanOrEqual(256);
  });

  it('refuses a head that is too long', async () => {
    const { port } = await open();
    const { closed } = await hold(port, '127.0.0.1', `GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(8_192)}\r\n\r\n`);
    await within(closed, 'the connection to be closed', 1_500);
  });
});
