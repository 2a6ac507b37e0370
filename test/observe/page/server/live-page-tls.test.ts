import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type * as AppModule from '../../../../observe/page/server/app.js';
import type { HttpOptions } from '../../../../observe/page/server/decide.js';
import type { LivePage as LivePageClass } from '../../../../observe/page/server/live-page.js';
import type * as SiteModule from '../../../../observe/page/server/site.js';
import { makeIdentities } from '../../../proto/identities.js';
import { within } from '../../../proto/wire.js';
import { built } from '../../../coordinator/built.js';
import { sampleRun } from '../../sample-run.js';

const scratch = mkdtempSync(join(tmpdir(), 'lockstep-page-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const token = 'a-secret-of-sixteen-or-more';

/** A page on a free port whose job is still being prepared. */
async function openPage(options: HttpOptions): Promise<LivePageClass> {
  const { LivePage } = await built<{ LivePage: typeof LivePageClass }>('observe/page/server/live-page.js');
  const page = (await LivePage.open({ http: '0', ...options }))!;
  onTestFinished(() => page.close());
  return page;
}

describe('the health of a coordinator', () => {
  it('is reported to everyone, without a token and while the job is being prepared, and nothing else is', async () => {
    const { address } = await openPage({ token });
    const health = await fetch(`${address}healthz`);
    expect([health.status, await health.text(), health.headers.get('Cache-Control')]).toEqual([
      200,
      'ok\n',
      'no-store',
    ]);
    expect((await fetch(`${address}healthz`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${address}healthz`, { method: 'POST' })).status).toBe(503);
  });
});

describe('a page with TLS', () => {
  it('speaks HTTPS, and asks browsers for no certificate', async () => {
    const { coordinator: tls } = await makeIdentities();
    const { address } = await openPage({ token, tls });
    expect(address).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
    const answer = new Promise<number | undefined>((resolve, reject) => {
      const request = get(`${address}healthz`, { ca: tls.ca, agent: false }, (found) => {
        found.resume();
        resolve(found.statusCode);
      });
      request.on('error', reject);
    });
    expect(await within(answer, 'an answer')).toBe(200);
    await expect(fetch(address.replace('https', 'http'))).rejects.toThrow();
  });

  it('closes despite a client that does not begin a handshake', async () => {
    const { coordinator: tls } = await makeIdentities();
    const page = await openPage({ tls });
    const silent = connect(Number(new URL(page.address).port), '127.0.0.1');
    onTestFinished(() => void silent.destroy());
    await new Promise((resolve) => silent.once('connect', resolve));
    silent.on('error', () => undefined);
    await within(page.close(), 'the page to close', 3_000);
  });

  it('gives a cookie that travels over TLS only', async () => {
    const { createApp } = await built<typeof AppModule>('observe/page/server/app.js');
    const { Site } = await built<typeof SiteModule>('observe/page/server/site.js');
    const run = sampleRun(scratch, { steps: 5 });
    const site = new Site(run.view, run.status);
    const app = await createApp({ site, host: '127.0.0.1', port: 8061, token, isSecure: true });
    const body = new URLSearchParams({ token });
    const { headers } = await app.request('/sign-in', { method: 'POST', headers: { Host: '127.0.0.1:8061' }, body });
    expect(headers.get('Set-Cookie')).toMatch(/^lockstep-8061=[\w-]{43}; .*HttpOnly; Secure; SameSite=Strict$/);
  });
});

describe('connections to the page', () => {
  /** A connection from a loopback address that sends `text` and no more. */
  async function hold(port: number, localAddress: string, text = '') {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    onTestFinished(() => void socket.destroy());
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined).resume();
    await within(new Promise((resolve) => socket.once('connect', resolve)), 'a connection');
    socket.write(text);
    return { socket, closed };
  }

  it('of one address take no places of another, half-open or slow', async () => {
    const { coordinator: tls } = await makeIdentities();
    const { address } = await openPage({ token, tls });
    const port = Number(new URL(address).port);
    await Promise.all(Array.from({ length: 300 }, () => hold(port, '127.0.0.2')));
    const answer = new Promise<number | undefined>((resolve, reject) => {
      const options = { ca: tls.ca, agent: false, localAddress: '127.0.0.3' };
      get(`${address}healthz`, options, (found) => resolve(found.resume().statusCode)).on('error', reject);
    });
    expect(await within(answer, 'an answer', 2_000)).toBe(200);
  });

  it('are dropped after 5 s without an authorized request', async () => {
    const { address } = await openPage({ token });
    const port = Number(new URL(address).port);
    const begin = performance.now();
    const silent = await hold(port, '127.0.0.2');
    const slow = await hold(port, '127.0.0.3', 'GET / HTTP/1.1\r\nX: ');
    await within(Promise.all([silent.closed, slow.closed]), 'both to be dropped', 8_000);
    expect(performance.now() - begin).toBeGreaterThan(4_500);
  });

  it('are dropped for an endless head', async () => {
    const { address } = await openPage({ token });
    const port = Number(new URL(address).port);
    const { closed } = await hold(port, '127.0.0.2', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`);
    await within(closed, 'the connection to be dropped', 2_000);
  });

  it('end with the answer to one without the token, so that each guess uses a place', async () => {
    const { createApp } = await built<typeof AppModule>('observe/page/server/app.js');
    const { Site } = await built<typeof SiteModule>('observe/page/server/site.js');
    const run = sampleRun(scratch, { steps: 5 });
    const app = await createApp({ site: new Site(run.view, run.status), host: '127.0.0.1', port: 8061, token });
    const headers = { Host: '127.0.0.1:8061' };
    const refused = await app.request('/api/run', { headers });
    expect([refused.status, refused.headers.get('Connection')]).toEqual([401, 'close']);
    const begin = performance.now();
    const body = new URLSearchParams({ token: 'wrong' });
    const guessed = await app.request('/sign-in', { method: 'POST', headers, body });
    expect([guessed.status, guessed.headers.get('Connection')]).toEqual([401, 'close']);
    expect(performance.now() - begin).toBeGreaterThan(950);
  });

  it('follow the run 32 at a time from one address', async () => {
    const { createApp } = await built<typeof AppModule>('observe/page/server/app.js');
    const { Site } = await built<typeof SiteModule>('observe/page/server/site.js');
    const run = sampleRun(scratch, { steps: 5 });
    const app = await createApp({ site: new Site(run.view, run.status), host: '127.0.0.1', port: 8061 });
    const follow = (remoteAddress: string) => {
      const incoming = { socket: { remoteAddress, destroy: () => undefined } };
      return app.request('/api/events', { headers: { Host: '127.0.0.1:8061' } }, { incoming });
    };
    const all = [];
    for (let i = 0; i < 33; i++) all.push(await follow('10.0.0.1'));
    expect(all.map(({ status }) => status)).toEqual([...new Array<number>(32).fill(200), 503]);
    expect(await all[32]!.json()).toEqual({ error: 'expected at most 32 clients from one address; try later' });
    const other = await follow('10.0.0.2');
    expect(other.status).toBe(200);
    for (const { body } of [...all.slice(0, 32), other]) await body?.cancel();
    const freed = async () => {
      while ((await follow('10.0.0.1')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await within(freed(), 'a place to be free again', 4_000);
  });
});
