import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { htmlPage } from '../../../run/report/html-page.js';
import { pageStyle } from '../../../run/report/page-style.js';
import { liveStyle } from './live-style.js';

/** The page's script, bundled by `npm run build`. */
const bundle = new URL('../browser/page.js', import.meta.url);

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1f5fae"/>' +
  '<path d="M3 4v8h10" fill="none" stroke="#fff" stroke-width="1.5"/><path d="M4.5 5.5 7 9l2.5 1 3-.5" fill="none" stroke="#fff" stroke-width="1.5"/></svg>';

/** Compresses once for all clients, off the main thread. */
const pack = promisify(gzip);

interface Asset {
  readonly name: string;
  readonly type: string;
  readonly content: string;
}

/** `/` and `/assets/`: the page, its script and its style. Their names change with their content. */
export async function assetRoutes(): Promise<Hono> {
  const script = asset('page', 'js', 'text/javascript; charset=utf-8', await readFile(bundle, 'utf8'));
  const style = asset('page', 'css', 'text/css; charset=utf-8', pageStyle() + liveStyle);
  const picture = asset('icon', 'svg', 'image/svg+xml', icon);
  const page = pageHtml(script.name, style.name, picture.name);
  const routes = new Hono();
  routes.get('/', (context) => {
    context.header('Cache-Control', 'no-cache');
    return context.html(page);
  });
  for (const { name, type, content } of [script, style, picture]) {
    const headers = { 'Content-Type': type, 'Cache-Control': 'private, max-age=31536000, immutable' };
    const packed = new Uint8Array(await pack(content));
    routes.get(`/assets/${name}`, (context) => {
      const takesGzip = /\bgzip\b/.test(context.req.header('Accept-Encoding') ?? '');
      if (!takesGzip) return context.body(content, 200, headers);
      return context.body(packed, 200, { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
    });
  }
  return routes;
}

function asset(base: string, ending: string, type: string, content: string): Asset {
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return { name: `${base}-${digest}.${ending}`, type, content };
}

function pageHtml(script: string, style: string, picture: string): string {
  return htmlPage({
    title: 'Lockstep',
    head: html`<link rel="icon" href="/assets/${picture}" type="image/svg+xml" />
      <link rel="preload" href="/api/run" as="fetch" crossorigin="anonymous" />
      <link rel="stylesheet" href="/assets/${style}" />
      <script type="module" src="/assets/${script}"></script>`,
    body: html`<noscript>This live page needs JavaScript. The report, written at the end of the run, doesn’t.</noscript>
      <main id="app"><p>Loading the run …</p></main>`,
  });
}
