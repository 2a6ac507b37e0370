import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type * as AppModule from '../../../coordinator/observe/http/app.js';
import type { HttpOptions } from '../../../coordinator/observe/http/decide.js';
import type { LivePage as LivePageClass } from '../../../coordinator/observe/http/live-page.js';
import type * as SiteModule from '../../../coordinator/observe/http/site.js';
import { makeIdentities } from '../../proto/identities.js';
import { within } from '../../proto/wire.js';
import { built } from '../built.js';
import { sampleRun } from './sample-run.js';

const scratch = mkdtempSync(join(tmpdir(), 'lockstep-page-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const token = 'a-secret-of-sixteen-or-more';

/** A page on a free port whose job is still being prepared. */
async function openPage(options: HttpOptions): Promise<LivePageClass> {
  const { LivePage } = await built<{ LivePage: typeof LivePageClass }>('coordinator/observe/http/live-page.js');
  const page = (await LivePage.open({ http: '0', ...options }))!;
  onTestFinished(() => page.close());
  return page;
}

describe('the health of a coordinator', () => {
  it('is told to everyone, without a token and while the job is being prepared, and nothing else is', async () => {
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

  it('closes although somebody is there who does not begin a handshake', async () => {
    const { coordinator: tls } = await makeIdentities();
    const page = await openPage({ tls });
    const silent = connect(Number(new URL(page.address).port), '127.0.0.1');
    onTestFinished(() => void silent.destroy());
    await new Promise((resolve) => silent.once('connect', resolve));
    silent.on('error', () => undefined);
    await within(page.close(), 'the page to close', 3_000);
  });

  it('gives a cookie that travels over TLS only', async () => {
    const { createApp } = await built<typeof AppModule>('coordinator/observe/http/app.js');
    const { Site } = await built<typeof SiteModule>('coordinator/observe/http/site.js');
    const run = sampleRun(scratch, { steps: 5 });
    const site = new Site(run.view, run.status);
    const app = await createApp({ site, host: '127.0.0.1', port: 8061, token, isSecure: true });
    const body = new URLSearchParams({ token });
    const { headers } = await app.request('/sign-in', { method: 'POST', headers: { Host: '127.0.0.1:8061' }, body });
    expect(headers.get('Set-Cookie')).toMatch(/^lockstep-8061=[\w-]{43}; .*HttpOnly; Secure; SameSite=Strict$/);
  });
});
