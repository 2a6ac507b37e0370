// Cost of the live page with a run of 102,100 steps: `npm run bench:page`, after `npm run build`. Needs Chromium. The
// steps are made up; history, server and page are the real ones.
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import type { Coordinator } from '../../coordinator/coordinator.js';
import { RunEvents } from '../../coordinator/state/events.js';
import type { LivePage } from '../../observe/page/server/live-page.js';
import { evaluationEvent, sampleRun, stepEvent } from '../observe/sample-run.js';
import { built } from '../coordinator/built.js';
import { sampleSteps } from '../run/report/sample.js';
import { findChromium, launch } from '../e2e/browser.js';
import { machine, spread } from './stats.mjs';

const total = 102_100;
const stepsPerEpoch = 1_021;
const rounds = 5;

/** Memory of this process in MB after a garbage collection. */
function memory(): { readonly heap: number; readonly resident: number } {
  for (let i = 0; i < 3; i++) globalThis.gc!();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / 1e6, resident: rss / 1e6 };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const run = sampleRun('/nowhere', { epochs: 100, stepsPerEpoch, testImages: 10_000 });

/** Steps from `first` to `end`, made one epoch at a time, with the events of each epoch's end. */
async function advance(first: number, end: number): Promise<void> {
  const records = sampleSteps(total, stepsPerEpoch, 49);
  for (const record of records.slice(first, end)) {
    run.history.add(stepEvent(record), Date.now());
    const done = record.step + 1;
    if (done % stepsPerEpoch > 0) continue;
    run.history.add({ type: 'epoch', epoch: record.epoch, step: done, digest: 'ab'.repeat(32) }, Date.now());
    run.history.add(evaluationEvent(run.view.test.labels, done, record.epoch), Date.now());
    await sleep(0);
  }
}

/** Runs in the page from the start: records when the loss chart has all its points, and the longest pause. */
const probe = `
  const look = (before) => requestAnimationFrame((now) => {
    const paths = document.querySelectorAll('[aria-label^="Loss over steps"] path');
    const most = Math.max(0, ...[...paths].map((path) => path.getAttribute('d').split(/[ML]/).length));
    if (most > 1000) return void (globalThis.fullAtMs = performance.now());
    look(now);
  });
  look(0);
`;

/** Frames of five seconds while the run continues: the longest, and their number. */
const watchFrames = `new Promise((resolve) => {
  const times = [];
  const next = (now) => { times.push(now); times.length && now - times[0] > 5000 ? resolve(times) : requestAnimationFrame(next); };
  requestAnimationFrame(next);
}).then((times) => ({ frames: times.length / 5, longest: Math.max(...times.slice(1).map((time, i) => time - times[i])) }))`;

async function loadOnce(browser: Browser, address: string) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(probe);
  await page.goto(address);
  while (!(await page.evaluate('globalThis.fullAtMs !== undefined'))) await sleep(100);
  const [fullMs, paintMs] = await page.evaluate<[number, number]>(
    `[fullAtMs, performance.getEntriesByName('first-paint')[0].startTime]`,
  );
  return { context, page, fullMs, paintMs };
}

/** Private memory of the browser's largest renderer, in MB. */
async function rendererMemory(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(async ({ id }) => {
      const text = await readFile(`/proc/${id}/smaps_rollup`, 'utf8');
      const kilobytes = [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].map(([, value]) => Number(value));
      return kilobytes.reduce((sum, value) => sum + value, 0) / 1e3;
    });
  return Math.max(...(await Promise.all(sizes)));
}

async function main(): Promise<void> {
  const chromium = findChromium();
  if (chromium === undefined) throw new Error('bench:page: expected Chromium in PATH or CHROMIUM, got none');
  console.log(`machine: ${machine()}`);
  const { LivePage: Page } = await built<{ LivePage: typeof LivePage }>('observe/page/server/live-page.js');
  const live = (await Page.open({ http: '0' }))!;
  const events = new RunEvents();
  const coordinator = { events, view: () => Promise.resolve(run.view), status: run.status } as unknown as Coordinator;
  live.serve(coordinator, { onError: (error) => console.error(error) });
  while ((await fetch(live.address)).status !== 200) await sleep(50);
  await (await fetch(`${live.address}api/run`)).text();

  await advance(0, 1_021);
  const before = memory();
  const begin = performance.now();
  await advance(1_021, total - 500);
  const perStepUs = ((performance.now() - begin) / total) * 1000;
  const after = memory();
  const answer = await (await fetch(`${live.address}api/run`)).text();
  console.log(`\nhistory and server after ${total.toLocaleString('en')} steps over after 1,021 (bar: 1.1)`);
  console.log(
    `  resident  ${before.resident.toFixed(1)} → ${after.resident.toFixed(1)} MB, ratio ${(after.resident / before.resident).toFixed(3)}`,
  );
  console.log(
    `  heap      ${before.heap.toFixed(1)} → ${after.heap.toFixed(1)} MB, ratio ${(after.heap / before.heap).toFixed(3)}`,
  );
  console.log(
    `  making and adding a step takes ${perStepUs.toFixed(1)} µs; /api/run has ${(answer.length / 1e3).toFixed(0)} kB`,
  );

  const browser = await launch(chromium);
  const loads: { fullMs: number; paintMs: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const { context, ...load } = await loadOnce(browser, live.address);
    loads.push(load);
    await context.close();
  }
  console.log(`\nthe page of ${total.toLocaleString('en')} steps, each time with an empty cache`);
  console.log(`  navigation to full chart, ms   ${spread(loads.map(({ fullMs }) => fullMs))}  (bar: 1000)`);
  console.log(`  first paint to full chart, ms  ${spread(loads.map(({ fullMs, paintMs }) => fullMs - paintMs))}`);

  const { page } = await loadOnce(browser, live.address);
  const records = sampleSteps(total, stepsPerEpoch, 49).slice(total - 500);
  const timer = setInterval(() => {
    const record = records.shift();
    if (record) run.history.add(stepEvent(record), Date.now());
  }, 30);
  const { frames, longest } = await page.evaluate<{ frames: number; longest: number }>(watchFrames);
  await sleep(5_000);
  clearInterval(timer);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  const heap = await page.evaluate<number>('performance.memory.usedJSHeapSize / 1e6');
  console.log(`\nwith 33 new steps per second`);
  console.log(`  pictures per second ${frames.toFixed(1)}, longest pause ${longest.toFixed(0)} ms`);
  console.log(
    `  tab: JavaScript heap ${heap.toFixed(1)} MB, private memory of its process ${(await rendererMemory(browser)).toFixed(1)} MB  (bar: 150)`,
  );
  await browser.close();
  await live.close();
}

await main();
