import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findProgram, isExecutable } from '../programs.js';

/** Chromium as `CHROMIUM` names it or as it is found in PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && isExecutable(named)) return named;
  return findProgram(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']);
}

/** A headless browser. Its sandbox is off where it cannot be had: as root, in containers. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'], timeout: 60_000 });
}

/** A page and what went wrong in it: errors of scripts, refused requests. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const problems: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, problems, requests, close: () => context.close() };
}

export interface AxeFinding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly string[];
}

/** What axe-core finds in the page, of whatever weight. */
export async function findAccessibilityProblems(page: Page): Promise<AxeFinding[]> {
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  const { readFile } = await import('node:fs/promises');
  // Through the debugger: the page's own policy lets no foreign script in.
  await page.evaluate(await readFile(axe, 'utf8'));
  return page.evaluate(`
    axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html) })))`);
}
