import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataId, type PageData } from '../../run/verify/page-data.js';
import { findAccessibilityProblems, findChromium, launch, openPage } from './browser.js';
import { Command, lockstep, scratchDirectory, smallJob } from './lockstep.js';

const chromium = findChromium();
const scratch = scratchDirectory();
/** Folder for screenshots, for inspection. */
const shots = process.env['PAGE_SHOTS'];

const run = join(scratch.path, 'run');
const verifyFile = join(run, 'report', 'verify.html');
const pattern = new RegExp(`(<script type="application/json" id="${dataId}">)(.*?)(</script>)`, 's');
let browser: Browser | undefined;

const keep = async (page: Page, name: string) => {
  if (shots === undefined) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
};

/** A copy of the report's page with other data. @returns its URL. */
function changedPage(name: string, change: (data: PageData) => PageData): string {
  const changed = (_: string, begin: string, json: string, end: string) =>
    begin + JSON.stringify(change(JSON.parse(json) as PageData)) + end;
  const path = join(scratch.path, `${name}.html`);
  writeFileSync(path, readFileSync(verifyFile, 'utf8').replace(pattern, changed));
  return pathToFileURL(path).href;
}

/** Inverts a byte of base64 data. */
function flipped(base64: string, index: number): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[index]! ^= 0xff;
  return bytes.toString('base64');
}

/** Opens a page and waits for its verdict. */
async function openVerdict(url: string, state: 'same' | 'different' | 'failed', options = {}) {
  const opened = await openPage(browser!, url, options);
  await opened.page.locator('#verdict:not([data-state=running])[data-state]').waitFor();
  const verdict = opened.page.locator('#verdict');
  const text = (await verdict.textContent()) ?? '';
  expect(await verdict.getAttribute('data-state'), text).toBe(state);
  return { ...opened, text };
}

describe.skipIf(chromium === undefined)('verify in a browser (needs Chromium in PATH or CHROMIUM)', () => {
  beforeAll(async () => {
    const trained = await lockstep(['train', ...smallJob, '--epochs', '2', '--workers', '2', '--run', run]);
    expect(trained.code, trained.stderr).toBe(0);
    browser = await launch(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
    scratch.remove();
  });

  it("finds the bits of the kernels that wrote the report, from the report's file alone", async () => {
    const opened = await openVerdict(pathToFileURL(verifyFile).href, 'same', {
      viewport: { width: 1100, height: 900 },
    });
    const { page, text, problems, requests } = opened;
    expect(text).toMatch(/^The bits agree\. .* the same 137,430 values of the gradient/);
    // Two epochs of 21 steps: the newest checkpoint that the run continued from is that of the first.
    expect(await page.locator('main').textContent()).toMatch(/In step 21 \(epoch 2\), shard 0 of\s+5/);
    expect(await page.locator('main').textContent()).toContain('step-00000021.safetensors');
    const results = page.locator('#result-rows tr');
    expect(await results.locator('td:first-of-type').allTextContents()).toEqual(Array(4).fill('same'));
    expect(await results.first().locator('code').allTextContents()).toEqual(
      Array(2).fill(expect.stringMatching(/^[0-9a-f]{64}$/)),
    );
    expect(await page.locator('#input-rows code').first().textContent()).toMatch(/^[0-9a-f]{64}$/);
    expect(await page.locator('#timing').textContent()).toMatch(/took \d+ ms/);
    expect(requests.filter((url) => !url.startsWith('file:'))).toEqual([]);
    expect(problems).toEqual([]);
    await keep(page, 'verify-same');
    await page.locator('#again').click();
    await page.locator('#verdict[data-state=same]').waitFor();
    await opened.close();
  });

  it('finds other bits when a byte of the images differs, and names the first', async () => {
    const url = changedPage('images', (data) => {
      return { ...data, inputs: { ...data.inputs, images: flipped(data.inputs.images, 5_000) } };
    });
    const { page, text, close } = await openVerdict(url, 'different', { viewport: { width: 1100, height: 900 } });
    expect(text).toMatch(
      /^The bits differ\. Gradient: [\d,]+ of 137,430 values differ\. The first is \d+ \(\S+, value \d+\): \S+ \(0x[0-9a-f]{8}\) expected, \S+ \(0x[0-9a-f]{8}\) in this browser\.$/,
    );
    await keep(page, 'verify-different');
    await close();
  });

  it('reports one wrong bit of one expected value', async () => {
    const url = changedPage('expected', (data) => {
      const gradient = Buffer.from(data.expected.gradient, 'base64');
      gradient[4 * 7]! ^= 1;
      return { ...data, expected: { ...data.expected, gradient: gradient.toString('base64') } };
    });
    const { text, close } = await openVerdict(url, 'different');
    expect(text).toMatch(/Gradient: 1 of 137,430 values differ\. The first is 7 /);
    await close();
  });

  it('reports a kernel plan that the kernels reject', async () => {
    const url = changedPage('plan', (data) => {
      return { ...data, inputs: { ...data.inputs, plan: flipped(data.inputs.plan, 12) } };
    });
    const { text, close } = await openVerdict(url, 'failed');
    expect(text).toMatch(/^Not verified\. Verify in this browser: .*expected .*got/);
    await close();
  });

  it('says what a browser without relaxed SIMD lacks', async () => {
    const context = await browser!.newContext();
    const page = await context.newPage();
    await page.addInitScript('WebAssembly.validate = () => false');
    await page.goto(pathToFileURL(verifyFile).href);
    await page.locator('#verdict[data-state=failed]').waitFor();
    expect(await page.locator('#verdict').textContent()).toMatch(
      /expected WebAssembly with relaxed SIMD .* Firefox 146/,
    );
    await context.close();
  });

  it.each([
    ['dark', { viewport: { width: 1100, height: 900 }, colorScheme: 'dark' as const }],
    ['phone', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }],
  ])('has no serious finding by axe-core, and fits its width: %s', async (name, options) => {
    const { page, close } = await openVerdict(pathToFileURL(verifyFile).href, 'same', options);
    const findings = await findAccessibilityProblems(page);
    expect(findings.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(options.viewport.width);
    await keep(page, `verify-${name}`);
    await close();
  });

  it('is served by the live page for the newest checkpoint of a run in progress', async () => {
    const live = [...smallJob, '--epochs', '200', '--set', 'evaluation.everyEpochs=0', '--set', 'data.limit=410'];
    const train = new Command(['train', ...live, '--workers', '1', '--run', join(scratch.path, 'live'), '--http', '0']);
    try {
      const address = (await train.until(/Live page: (http:\S+)/))[1]!;
      await expect.poll(async () => (await fetch(`${address}verify`)).status, { timeout: 60_000 }).toBe(200);
      const { page, problems, requests, close } = await openVerdict(`${address}verify`, 'same');
      expect(await page.locator('#result-rows td.same').count()).toBe(4);
      expect(requests).toEqual([`${address}verify`]);
      expect(problems).toEqual([]);
      await close();
    } finally {
      await train.kill();
    }
  });
});
