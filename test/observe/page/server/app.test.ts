import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Coordinator } from '../../../../coordinator/coordinator.js';
import { RunEvents } from '../../../../coordinator/state/events.js';
import type { PictureList, RunUpdate, WholeRun } from '../../../../coordinator/state/feed.js';
import { decideHttp, defaultHttpPort, isLoopbackHost } from '../../../../observe/page/server/decide.js';
import type { LivePage as LivePageClass } from '../../../../observe/page/server/live-page.js';
import type * as AppModule from '../../../../observe/page/server/app.js';
import type * as PortModule from '../../../../observe/page/server/port.js';
import type * as SiteModule from '../../../../observe/page/server/site.js';
import { built } from '../../../coordinator/built.js';
import { sampleSteps } from '../../../run/report/sample.js';
import { evaluationEvent, sampleRun, stepEvent } from '../../sample-run.js';

const scratch = mkdtempSync(join(tmpdir(), 'lockstep-page-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const secret = 'a-secret-of-sixteen-or-more';
const loopback = { Host: '127.0.0.1:8061' };

/** The page's routes over a run of 150 steps and one evaluation. */
async function makeApp(token?: string) {
  const { createApp } = await built<typeof AppModule>('observe/page/server/app.js');
  const { Site } = await built<typeof SiteModule>('observe/page/server/site.js');
  const run = sampleRun(scratch, { steps: 150 });
  run.history.add(evaluationEvent(run.view.test.labels, 100, 1), 0);
  const site = new Site(run.view, run.status);
  const app = await createApp({ site, host: '127.0.0.1', port: 8061, token });
  const ask = (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { ...loopback, ...headers } });
  return { ...run, site, app, ask };
}

describe("the page's address", () => {
  it('is on loopback by default, and another port is used if necessary', () => {
    expect(decideHttp({ httpByDefault: true })).toEqual({ host: '127.0.0.1', port: defaultHttpPort, anyPort: true });
    expect(decideHttp({})).toBeUndefined();
    expect(decideHttp({ http: false, httpByDefault: true })).toBeUndefined();
    expect(decideHttp({ http: '9000' })).toEqual({ host: '127.0.0.1', port: 9000, anyPort: false });
    expect(decideHttp({ http: '[::1]:0' })).toEqual({ host: '::1', port: 0, anyPort: false });
  });

  it('is beyond loopback only with TLS and a token, or if explicitly allowed without', () => {
    const http = '0.0.0.0:8061';
    const tls = { ca: 'CA', cert: 'CERT', key: 'KEY' };
    const expected = /^--http 0\.0\.0\.0:8061: expected TLS and a token .*; anyone who reaches this port could observe/;
    for (const one of [{}, { token: secret }, { tls }]) expect(() => decideHttp({ http, ...one })).toThrow(expected);
    expect(decideHttp({ http, token: secret, tls })?.host).toBe('0.0.0.0');
    expect(decideHttp({ http, insecure: true })?.host).toBe('0.0.0.0');
    expect(() => decideHttp({ http: '70000' })).toThrow('--http: expected HOST:PORT');
  });

  it.each([
    ['localhost:8061', true],
    ['127.0.0.1', true],
    ['[::1]:8061', true],
    ['evil.example:8061', false],
    ['127.0.0.1.evil.example', false],
    ['localhost.evil.example', false],
    ['127.0.0.1:80:80', false],
    ['', false],
  ])('treats the host name %j as loopback: %s', (header, is) => {
    expect(isLoopbackHost(header)).toBe(is);
  });
});

describe('the routes', () => {
  it('give the whole run', async () => {
    const { ask } = await makeApp();
    const response = await ask('/api/run');
    const { run, update } = (await response.json()) as WholeRun;
    expect(run).toMatchObject({ name: 'small', totalSteps: 200, path: scratch });
    expect(update.whole).toBe(true);
    expect(update.status).toMatchObject({ step: 150, epoch: 2 });
    expect(update.curves.loss).toHaveLength(300);
    expect(update.confusion).toHaveLength(10);
  });

  it('give the page with its script and style, which carry the digest of their content', async () => {
    const { ask } = await makeApp();
    const page = await (await ask('/')).text();
    const names = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, name]) => name!);
    expect(names.map((name) => name.replace(/[0-9a-f]{12}/, '*')).sort()).toEqual([
      '/assets/icon-*.svg',
      '/assets/page-*.css',
      '/assets/page-*.js',
    ]);
    for (const name of names) expect((await ask(name)).status).toBe(200);
    expect(page).not.toMatch(/https?:/);
  });

  it('carry headers that allow no foreign script, frame, type or referrer', async () => {
    const { ask } = await makeApp();
    for (const path of ['/', '/api/run', '/nothing']) {
      const { headers } = await ask(path);
      const policy = headers.get('Content-Security-Policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(headers.get('Referrer-Policy')).toBe('no-referrer');
      expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
    }
  });

  it('refuse a request under the name of a web site', async () => {
    const { app } = await makeApp();
    const response = await app.request('/api/run', { headers: { Host: 'evil.example:8061' } });
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain('small');
  });

  it('list the pictures of a cell and the most confident mistakes', async () => {
    const { ask, view } = await makeApp();
    const mistakes = (await (await ask('/api/images')).json()) as PictureList;
    expect(mistakes.total).toBe(30);
    expect(mistakes.pictures[0]).toMatchObject({ index: 87, actual: view.test.labels[87] });
    expect(mistakes.pictures.map(({ confidence }) => confidence)).toEqual(
      mistakes.pictures.map(({ confidence }) => confidence).toSorted((a, b) => b - a),
    );
    const label = view.test.labels[1]!;
    const right = (await (await ask(`/api/images?actual=${label}&predicted=${label}`)).json()) as PictureList;
    expect(right.pictures.map(({ index }) => index)).toContain(1);
    expect(right.pictures.every(({ actual, predicted }) => actual === label && predicted === label)).toBe(true);
  });

  it('draw test images side by side', async () => {
    const { ask, view } = await makeApp();
    const png = decode(new Uint8Array(await (await ask('/api/pictures?images=3,0')).arrayBuffer()));
    expect([png.width, png.height, png.channels]).toEqual([64, 32, 3]);
    const pixel = (image: number, x: number, y: number) =>
      [...view.test.images.subarray((image * 1024 + y * 32 + x) * 3)].slice(0, 3);
    const drawn = (x: number, y: number) => [...png.data.slice((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)];
    expect(drawn(5, 7)).toEqual(pixel(3, 5, 7));
    expect(drawn(32 + 31, 31)).toEqual(pixel(0, 31, 31));
  });

  it.each([
    '/api/images?actual=10&predicted=0',
    '/api/images?actual=1',
    '/api/images?actual=-1&predicted=0',
    '/api/images?actual=1e0&predicted=0',
    '/api/images?kind=x',
    '/api/pictures',
    '/api/pictures?images=',
    '/api/pictures?images=90',
    '/api/pictures?images=0,1x',
    `/api/pictures?images=${Array.from({ length: 61 }, () => 0).join(',')}`,
    '/api/events?after=x',
    `/api/events?after=${'0'.repeat(1000)}`,
  ])('refuse %s', async (path) => {
    const { ask } = await makeApp();
    expect((await ask(path)).status).toBe(400);
  });

  it('change nothing: other methods have no route', async () => {
    const { app } = await makeApp();
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      expect((await app.request('/api/run', { method, headers: loopback })).status).toBe(404);
    }
  });
});

describe('the report', () => {
  it('is served once it exists, and no file outside its folder', async () => {
    const { ask } = await makeApp();
    expect((await ask('/report/')).status).toBe(404);
    mkdirSync(join(scratch, 'report', 'deeper.csv'), { recursive: true });
    writeFileSync(join(scratch, 'run.json'), 'not for you');
    writeFileSync(join(scratch, 'secret.csv'), 'not for you');
    writeFileSync(join(scratch, 'report', 'index.html'), '<h1>report</h1>');
    writeFileSync(join(scratch, 'report', 'loss.csv'), 'step,loss\n');
    symlinkSync(join(scratch, 'secret.csv'), join(scratch, 'report', 'link.csv'));
    const page = await ask('/report/');
    expect([page.status, await page.text()]).toEqual([200, '<h1>report</h1>']);
    expect(page.headers.get('Content-Security-Policy')).toContain("default-src 'none'; style-src 'unsafe-inline'");
    expect(await (await ask('/report/loss.csv')).text()).toBe('step,loss\n');
    const outside = ['../run.json', '..%2frun.json', '%2e%2e/run.json', '..%5crun.json', 'link.csv', 'deeper.csv'];
    for (const name of [...outside, '/etc/passwd', 'index.html%00.csv', 'run.json', '.html']) {
      const response = await ask(`/report/${name}`);
      expect([name, response.status]).toEqual([name, 404]);
      expect(await response.text()).not.toContain('not for you');
    }
  });

  it('is not served through a folder that leads elsewhere', async () => {
    const run = mkdtempSync(join(scratch, 'linked-'));
    symlinkSync(join(scratch, 'report'), join(run, 'report'));
    const { createApp } = await built<typeof AppModule>('observe/page/server/app.js');
    const { Site } = await built<typeof SiteModule>('observe/page/server/site.js');
    const { view, status } = sampleRun(run);
    const app = await createApp({ site: new Site(view, status), host: '127.0.0.1', port: 1 });
    expect((await app.request('/report/loss.csv', { headers: loopback })).status).toBe(404);
  });
});

describe('a page with a token', () => {
  it('shows nothing without it, and everything with it', async () => {
    const { ask } = await makeApp(secret);
    for (const path of ['/api/run', '/api/events', '/api/images', '/report/', '/', '/metrics']) {
      const response = await ask(path);
      expect([path, response.status]).toEqual([path, 401]);
      expect(await response.text()).not.toContain('small');
    }
    expect((await ask('/api/run', { Authorization: `Bearer ${secret}` })).status).toBe(200);
    expect((await ask('/api/run', { Authorization: `Bearer ${secret}x` })).status).toBe(401);
    expect((await ask('/api/run', { Authorization: secret })).status).toBe(401);
  });

  it('takes it from a form, and gives a cookie that does not hold it', async () => {
    const { app, ask } = await makeApp(secret);
    const signIn = (token: string) =>
      app.request('/sign-in', { method: 'POST', headers: loopback, body: new URLSearchParams({ token }) });
    const wrong = await signIn('another-secret-of-sixteen');
    expect([wrong.status, wrong.headers.get('Set-Cookie')]).toEqual([401, null]);
    const right = await signIn(secret);
    const cookie = right.headers.get('Set-Cookie') ?? '';
    expect([right.status, right.headers.get('Location')]).toEqual([303, '/']);
    expect(cookie).toMatch(/^lockstep-8061=[\w-]{43}; .*HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(secret);
    const session = cookie.split(';')[0]!;
    expect((await ask('/api/run', { Cookie: session })).status).toBe(200);
    expect((await ask('/api/run', { Cookie: `${session}x` })).status).toBe(401);
  });

  it('does not read an endless form', async () => {
    const { app } = await makeApp(secret);
    const body = new URLSearchParams({ token: 'x'.repeat(20_000) });
    expect((await app.request('/sign-in', { method: 'POST', headers: loopback, body })).status).toBe(413);
  });
});

/** A page on a free port, over a run that is prepared at once. */
async function serve() {
  const { LivePage } = await built<{ LivePage: typeof LivePageClass }>('observe/page/server/live-page.js');
  const run = sampleRun(scratch, { steps: 50 });
  const [page, errors] = [(await LivePage.open({ http: '0' }))!, new Array<Error>()];
  onTestFinished(() => page.close());
  const coordinator = { events: new RunEvents(), view: () => Promise.resolve(run.view), status: run.status };
  page.serve(coordinator as unknown as Coordinator, { onError: (error) => errors.push(error) });
  const deadline = performance.now() + 10_000;
  while ((await fetch(`${page.address}api/run`)).status !== 200) {
    if (performance.now() > deadline) throw new Error(`expected the page, got none; ${errors.join()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { ...run, page, errors };
}

/** Reads server-sent events until one satisfies `enough`. */
async function readEvents(url: string, headers: Record<string, string>, enough: (text: string) => boolean) {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (enough(text)) break;
  }
  const updates = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!) as RunUpdate);
  return { text, updates, ids: [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!) };
}

describe('the server', () => {
  it('sends what is new, steps taken together, since the last event that a client has seen', async () => {
    const { page, history } = await serve();
    const { update } = (await (await fetch(`${page.address}api/run`)).json()) as WholeRun;
    const records = sampleSteps(120, 100, 245);
    for (const record of records.slice(50, 90)) history.add(stepEvent(record), 0);
    const first = await readEvents(`${page.address}api/events?after=${update.cursor}`, {}, (text) =>
      text.includes('\n\n'),
    );
    expect(first.updates[0]).toMatchObject({ whole: false, status: { step: 90 }, curves: { from: 50 } });
    expect(first.updates[0]!.curves.loss).toHaveLength(80);
    for (const record of records.slice(90)) history.add(stepEvent(record), 0);
    history.add({ type: 'note', message: 'while nobody looked' }, 0);
    const again = { 'Last-Event-ID': first.ids[0]! };
    const second = await readEvents(`${page.address}api/events`, again, (text) => text.includes('\n\n'));
    expect(second.updates[0]).toMatchObject({ whole: false, status: { step: 120 }, curves: { from: 90 } });
    expect(second.updates[0]!.events.map(({ text }) => text)).toEqual(['while nobody looked']);
  });

  it('sends everything to a client of another process', async () => {
    const { page } = await serve();
    const unknownCursor = { 'Last-Event-ID': '0123456789ab.7.7' };
    const { updates } = await readEvents(`${page.address}api/events`, unknownCursor, (text) => text.includes('\n\n'));
    expect(updates[0]).toMatchObject({ whole: true, status: { step: 50 } });
  });

  it('sends the end of the run to its observers, and ends itself', async () => {
    const { page, history } = await serve();
    const reading = readEvents(`${page.address}api/events`, {}, (text) => text.includes('event: over'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    history.add({ type: 'state', state: 'finished', reason: 'all steps are done' }, 0);
    await page.close();
    const { updates } = await reading;
    expect(updates.at(-1)?.status).toMatchObject({ state: 'finished', reason: 'all steps are done' });
    await expect(fetch(page.address)).rejects.toThrow();
  });

  it('does not keep updates for a client that does not read', async () => {
    const { page, history, errors } = await serve();
    const stalled = await new Promise<IncomingMessage>((resolve) => get(`${page.address}api/events`, resolve));
    stalled.on('error', () => undefined);
    stalled.pause();
    onTestFinished(() => void stalled.destroy());
    for (const record of sampleSteps(5_000, 100, 245).slice(50)) history.add(stepEvent(record), 0);
    const { updates } = await readEvents(`${page.address}api/events`, {}, (text) => text.includes('\n\n'));
    expect(updates[0]?.status.step).toBe(5_000);
    expect(errors).toEqual([]);
  });

  it('refuses a path that leads out of the report, also as raw bytes', async () => {
    const { page } = await serve();
    const { port } = new URL(page.address);
    const status = await new Promise<number | undefined>((resolve) =>
      get({ host: '127.0.0.1', port, path: '/report/../../../../etc/passwd' }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }),
    );
    expect(status).toBe(404);
  });

  it('reports that the job is being prepared until it is ready', async () => {
    const { LivePage } = await built<{ LivePage: typeof LivePageClass }>('observe/page/server/live-page.js');
    const page = (await LivePage.open({ http: '0' }))!;
    onTestFinished(() => page.close());
    const response = await fetch(page.address);
    expect([response.status, response.headers.get('Refresh')]).toEqual([503, '1']);
    expect(await response.text()).toContain('being prepared');
  });

  it('uses another port if the default one is taken, but not if a requested one is', async () => {
    const { LivePage } = await built<{ LivePage: typeof LivePageClass }>('observe/page/server/live-page.js');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    await expect(LivePage.open({ http: String(port) })).rejects.toThrow(
      new RegExp(`--http 127.0.0.1:${port}: expected a free port of this machine, got .*EADDRINUSE.*--no-http`),
    );
    const { takePort } = await built<typeof PortModule>('observe/page/server/port.js');
    const { server, admission } = await takePort({ host: '127.0.0.1', port, anyPort: true });
    expect(server.address()).not.toMatchObject({ port });
    for (const part of [server, admission]) part.close();
  });
});
