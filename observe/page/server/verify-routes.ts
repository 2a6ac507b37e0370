import { Hono } from 'hono';
import { html, raw } from 'hono/html';
import { htmlPage } from '../../../run/report/html-page.js';
import { pageStyle } from '../../../run/report/page-style.js';
import { prepareShardTask } from '../../../run/verify/shard-task.js';
import { createVerifyPage, type VerifyPage } from '../../../run/verify/verify-page.js';
import type { Site } from './site.js';

/** `/verify`: a page on which the reader's browser computes one shard of the step after the newest checkpoint. */
export function verifyRoutes(site: Site): Hono {
  const pages = new VerifyPages(site);
  const routes = new Hono();
  routes.get('/verify', async (context) => {
    const page = await pages.newest();
    context.header('Cache-Control', 'no-store');
    return 'html' in page ? context.html(page.html) : context.html(missingPage(page.reason), 404);
  });
  return routes;
}

/** Makes one page for each checkpoint, however often it is requested. */
class VerifyPages {
  #newest: { readonly step: number; readonly page: Promise<VerifyPage> } | undefined;

  constructor(private readonly site: Site) {}

  async newest(): Promise<VerifyPage> {
    const { view, now } = this.site;
    const task = await prepareShardTask({ ...view, committed: now.step });
    if ('reason' in task) return task;
    if (this.#newest?.step !== task.step) this.#newest = { step: task.step, page: createVerifyPage(task) };
    return this.#newest.page;
  }
}

function missingPage(reason: string): string {
  return htmlPage({
    title: 'Lockstep: nothing to verify',
    head: html`<style>
      ${raw(pageStyle())}
    </style>`,
    body: html`<main>
      <h1>Nothing to verify</h1>
      <p>${reason}.</p>
      <p><a href="/">Back to the run</a></p>
    </main>`,
  });
}
