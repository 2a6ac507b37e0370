import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAccessibilityProblems, findChromium, launch, openPage } from './browser.js';
import { Command, scratchDirectory, smallJob } from './lockstep.js';

const chromium = findChromium();
const scratch = scratchDirectory();
/** Folder for screenshots, for inspection. */
const shots = process.env['PAGE_SHOTS'];

const job = [...smallJob, '--epochs', '40', '--set', 'data.limit=410', '--set', 'evaluation.everyEpochs=2'];
let [train, browser, address]: [Command | undefined, Browser | undefined, string] = [undefined, undefined, ''];

/** Number of points of a chart's longest line. */
const longestLine = (page: Page, chart: string) =>
  page.evaluate<number>(`Math.max(...[...document.querySelectorAll('[aria-label^="${chart}"] path')].map(
    (path) => path.getAttribute('d').split(/[ML]/).length - 1))`);

const keep = async (page: Page, name: string) => {
  if (shots === undefined) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
};

// Without a reason in its title a skipped test would look like a forgotten one.

describe.skipIf(chromium === undefined)('the live page in a browser (needs Chromium in PATH or CHROMIUM)', () => {
  beforeAll(async () => {
    browser = await launch(chromium!);
    train = new Command(['train', ...job, '--workers', '2', '--run', join(scratch.path, 'run'), '--http', '0']);
    address = (await train.until(/Live page: (http:\S+)/))[1]!;
    await train.until(/Test set/, 90_000);
  });
  afterAll(async () => {
    await browser?.close();
    await train?.kill();
    scratch.remove();
  });

  it('has the whole history if opened late, updates by itself, and requests nothing of other servers', async () => {
    const { page, problems, requests, close } = await openPage(browser!, address);
    await page.locator('[aria-label^="Loss over steps"] path').first().waitFor({ state: 'attached' });
    // Two epochs of 41 steps precede the page.
    expect(await longestLine(page, 'Loss over steps')).toBeGreaterThanOrEqual(82);
    const step = async () => Number((await page.locator('progress').getAttribute('value')) ?? 0);
    const before = await step();
    await expect.poll(step, { timeout: 30_000 }).toBeGreaterThan(before);
    expect(await page.title()).toMatch(/^\d+ % cluster-cnn3: synthetic dataset/);
    expect(await page.locator('.banner').first().textContent()).toContain('say nothing about CIFAR-10');
    const rows = page.locator('table.workers tbody tr');
    expect(await rows.count()).toBe(2);
    expect(await rows.first().textContent()).toMatch(/arithmetic \d+ \w+.*[\d.]+ ms.*MB/);
    expect(await page.locator('[aria-labelledby=events] li').count()).toBeGreaterThan(5);
    expect(await page.locator('[aria-labelledby=events]').textContent()).toContain('epoch 2 evaluated');
    expect(await page.locator('[aria-labelledby=digests] code').last().textContent()).toMatch(/^[0-9a-f]{64}$/);
    expect(requests.filter((url) => !url.startsWith(address))).toEqual([]);
    expect(problems).toEqual([]);
    await close();
  });

  it('shows the pictures behind each cell, by mouse and by keyboard, and the most confident mistakes', async () => {
    const { page, close } = await openPage(browser!, address, { viewport: { width: 1200, height: 900 } });
    const cell = (row: number, column: number) =>
      page.locator(`.matrix tbody tr:nth-child(${row}) td:nth-of-type(${column})`);
    await cell(1, 1).click();
    const heading = page.locator('.cell-pictures h3');
    await heading.filter({ hasText: /classified correctly: \d+ images?$/ }).waitFor();
    expect(await cell(1, 1).getAttribute('aria-selected')).toBe('true');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await cell(2, 2).getAttribute('aria-selected')).toBe('true');
    const mistakes = page.locator('.pictures.mixed .picture');
    await mistakes.first().waitFor();
    expect(await mistakes.count()).toBeGreaterThan(10);
    expect(await mistakes.first().getAttribute('aria-label')).toMatch(/^Test image \d+: \S+, taken for \S+$/);
    // The sprite has loaded: 36 pictures of 32 by 32.
    const size = await page.evaluate(`(async () => {
      const url = getComputedStyle(document.querySelector('.pictures.mixed .picture')).backgroundImage.slice(5, -2);
      const image = await createImageBitmap(await (await fetch(url)).blob());
      return [image.width, image.height];
    })()`);
    expect(size).toEqual([32 * (await mistakes.count()), 32]);
    await keep(page, 'light');
    await close();
  });

  it.each([
    ['dark', { viewport: { width: 1200, height: 900 }, colorScheme: 'dark' as const }],
    ['light', { viewport: { width: 1200, height: 900 }, colorScheme: 'light' as const }],
    ['phone', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }],
  ])('has no serious finding by axe-core, and fits its width: %s', async (name, options) => {
    const { page, problems, close } = await openPage(browser!, address, options);
    await page.locator('.pictures.mixed .picture').first().waitFor();
    const findings = await findAccessibilityProblems(page);
    expect(findings.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(options.viewport.width);
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(name === 'dark' ? 'rgb(13, 17, 23)' : 'rgb(245, 247, 249)');
    expect(problems).toEqual([]);
    await keep(page, name === 'light' ? 'light-plain' : name);
    await close();
  });

  it('reports that the run is over, keeps its content, and links to the report', async () => {
    const { page, close } = await openPage(browser!, address, { viewport: { width: 1200, height: 900 } });
    await page.locator('.matrix').waitFor();
    train!.process.kill('SIGINT');
    const over = page.locator('.banner.over');
    await over.waitFor();
    expect(await over.textContent()).toMatch(/The run is over: stopped.*The report is in .*run\/report\/index\.html/);
    expect((await train!.ended).code).toBe(130);
    expect(await page.locator('[aria-label^="Loss over steps"] path').count()).toBeGreaterThan(2);
    await keep(page, 'over');
    await close();
  });
});
