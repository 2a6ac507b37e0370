// npm run bench:start: time from starting a worker process to the end of its first step, with cached programs (warm),
// with an empty cache (cold) and without a cache. The coordinator is already waiting with its data loaded.
// Usage: node test/bench/start.mjs [--rounds N] [--model NAME]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Coordinator } from '../../dist/coordinator/coordinator.js';
import { openDataset } from '../../dist/data/index.js';
import { resolveSpec } from '../../dist/job/resolve.js';
import { machine, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, model: { type: 'string', default: 'cnn3' } },
});
const lockstep = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'lockstep-start-'));
const settings = ['epochs=1', 'data.dataset=synthetic', 'data.limit=500', 'evaluation.everyEpochs=0'];
const spec = resolveSpec({ preset: 'lecture-cnn3', sets: [`model=${options.model}`, ...settings] });
const dataset = await openDataset({ dataset: 'synthetic', cwd: scratch, limit: 500 });

/** Milliseconds from starting a worker until it is ready, and until its first step is done. */
async function start(cache, flags) {
  const runDirectory = mkdtempSync(join(scratch, 'run-'));
  const limits = { wantedWorkers: 1, startLimitMs: 60_000, heartbeatLimitMs: 5_000 };
  const coordinator = new Coordinator({
    spec,
    dataset: () => Promise.resolve(dataset),
    runDirectory,
    listen: '127.0.0.1:0',
    ...limits,
  });
  const seen = {};
  let stepped;
  const firstStep = new Promise((resolve) => (stepped = resolve));
  let waiting;
  const prepared = new Promise((resolve) => (waiting = resolve));
  coordinator.events.subscribe((event) => {
    if (event.type === 'state' && event.state === 'waiting') waiting();
    if (event.type === 'worker' && event.change === 'ready') seen.ready ??= performance.now();
    if (event.type !== 'step') return;
    seen.step ??= performance.now();
    stepped();
  });
  const address = await coordinator.start();
  const over = coordinator.run().catch(() => undefined);
  await Promise.race([prepared, new Promise((resolve) => setTimeout(resolve, 2_000))]);
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  const begin = performance.now();
  const args = [lockstep, 'worker', '--coordinator', address, '--log-level', 'silent', ...flags];
  const worker = spawn(process.execPath, args, { env, stdio: 'ignore' });
  const ended = once(worker, 'exit');
  await firstStep;
  coordinator.stop('measured');
  await Promise.all([over, ended]);
  return { ready: (seen.ready - begin) / 1000, step: (seen.step - begin) / 1000 };
}

const results = { warm: [], cold: [], 'no cache': [] };
const shared = mkdtempSync(join(scratch, 'cache-'));
await start(shared, []);
for (let round = 0; round < Number(options.rounds); round++) {
  results.warm.push(await start(shared, []));
  results.cold.push(await start(mkdtempSync(join(scratch, 'cache-')), []));
  results['no cache'].push(await start(shared, ['--no-cache']));
}
rmSync(scratch, { recursive: true, force: true });
console.log(`machine: ${machine()}\n\n${options.model}, batch 49; from starting a worker, s`);
for (const [name, times] of Object.entries(results)) {
  console.log(`  ${name.padEnd(9)} ready ${spread(times.map(({ ready }) => ready))}`);
  console.log(`  ${''.padEnd(9)} first step done ${spread(times.map(({ step }) => step))}`);
}
