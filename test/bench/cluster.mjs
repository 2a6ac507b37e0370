// npm run bench:cluster: what the cluster costs over the bare engine, what a second worker brings, what memory and
// start-up take. Runs the built `lockstep` command; needs CIFAR-10 (LOCKSTEP_DATA or the cache), else --synthetic.
// Usage: node test/bench/cluster.mjs [--rounds N] [--json] [--synthetic]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, median, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    synthetic: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const lockstep = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
const dataset = options.synthetic ? ['--set', 'data.dataset=synthetic'] : [];
const say = options.json ? () => undefined : console.log;

/** Runs `lockstep train` and returns the durations of its full steps in ms, without the first ones. */
async function train(name, flags) {
  const directory = join(scratch, `${name}-${Math.random().toString(36).slice(2)}`);
  const args = ['train', '--preset', 'cluster-cnn3', '--run', directory, ...dataset, ...flags];
  const peaks = await run(args);
  const rows = readFileSync(join(directory, 'steps.csv'), 'utf8').trim().split('\n').slice(1);
  const steps = rows.map((row) => row.split(',').map(Number)).map((r) => ({ samples: r[2], ms: r[6] }));
  const full = Math.max(...steps.map(({ samples }) => samples));
  rmSync(directory, { recursive: true, force: true });
  return {
    ms: steps
      .slice(10)
      .filter(({ samples }) => samples === full)
      .map(({ ms }) => ms),
    samples: full,
    peaks,
  };
}

/** Runs the command to its end; resolves to the highest resident memory seen of it and of each worker, in MB. */
function run(args) {
  const child = spawn(process.execPath, [lockstep, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const peaks = { coordinator: 0, workers: {} };
  const timer = setInterval(() => sampleMemory(child.pid, peaks), 500);
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(peaks);
      else reject(new Error(`lockstep ${args.join(' ')} ended with exit code ${code}`));
    });
  });
}

function sampleMemory(pid, peaks) {
  peaks.coordinator = Math.max(peaks.coordinator, residentMb(pid));
  for (const worker of childrenOf(pid)) {
    peaks.workers[worker] = Math.max(peaks.workers[worker] ?? 0, residentMb(worker));
  }
}

/** Resident memory from /proc (Linux), in MB; 0 elsewhere or when the process is gone. */
function residentMb(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1000;
  } catch {
    return 0;
  }
}

function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Milliseconds per step of the engine alone: the program and the optimizer in one thread, nothing else. */
function bareEngine(steps) {
  const script = fileURLToPath(new URL('./bare-engine.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, String(steps)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  return new Promise((resolve) => child.on('exit', () => resolve(JSON.parse(text))));
}

/** Milliseconds from starting the command that `npm start` runs to the end of its first step. */
function firstStep() {
  const begin = performance.now();
  const directory = join(scratch, `start-${Math.random().toString(36).slice(2)}`);
  const child = spawn('npm', ['start', '--', '--run', directory, ...dataset], { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    let text = '';
    let found;
    child.stdout.on('data', (data) => {
      text += data;
      if (found === undefined && text.includes('Train Epoch: 1 [0/')) {
        found = performance.now() - begin;
        const pids = childrenOf(child.pid).flatMap((pid) => [pid, ...childrenOf(pid)]);
        for (const pid of pids) process.kill(pid, 'SIGINT');
      }
    });
    child.on('exit', () => resolve(found));
  });
}

const small = ['--set', 'data.limit=2000', '--set', 'evaluation.everyEpochs=0'];
const result = { machine: machine(), rounds };
say(`machine: ${result.machine}`);

const overhead = { bare: [], sideBySide: [], first: [], warm: [] };
for (let round = 0; round < rounds; round++) {
  overhead.bare.push(...(await bareEngine(200)));
  overhead.sideBySide.push(...(await Promise.all([bareEngine(200), bareEngine(200)])).flat());
  const flags = [...small, '--workers', '1', '--cores', '1', '--shards', '1', '--epochs', '5'];
  const { ms } = await train('overhead', flags);
  overhead.first.push(...ms.slice(0, 190));
  // Node.js compiles what a step runs through bit by bit: each step is as long as any other only then.
  overhead.warm.push(...ms.slice(600));
}
const over = (steps) => median(steps) - median(overhead.bare);
const overText = (steps) => {
  const share = ((over(steps) / median(overhead.bare)) * 100).toFixed(1);
  return `${spread(steps)}, overhead ${over(steps).toFixed(2)} ms, ${share} %  (bar: 2 ms or 10 %)`;
};
result.overheadMs = { first: over(overhead.first), warm: over(overhead.warm) };
say(`\none worker, one shard, batch 49, ms per step`);
say(`  bare engine with optimizer  ${spread(overhead.bare)}`);
say(`  cluster, steps 10 to 200    ${overText(overhead.first)}`);
say(`  cluster, from step 600 on   ${overText(overhead.warm)}`);

say(`\ntwo workers on two cores over one on one, images/s (ratio of median step times, round by round)`);
// Cores share caches and memory: more than this no cluster of two can gain, whatever its overhead.
result.limit = (2 * median(overhead.bare)) / median(overhead.sideBySide);
say(`  two bare engines side by side: ${spread(overhead.sideBySide)} ms a step, so at most ${result.limit.toFixed(2)}`);
result.speedup = {};
for (const shards of [4, 5]) {
  const ratios = [];
  const rates = { 1: [], 2: [] };
  for (let round = 0; round < rounds; round++) {
    const medians = {};
    for (const workers of [1, 2]) {
      // As many cores as workers: where both have work, nothing changes; a core that has none helps the other.
      const places = ['--workers', String(workers), '--cores', String(workers)];
      const flags = [...small, ...places, '--shards', String(shards), '--epochs', '2'];
      const { ms, samples } = await train(`speedup-${shards}-${workers}`, flags);
      medians[workers] = median(ms);
      rates[workers].push((samples / medians[workers]) * 1000);
    }
    ratios.push(medians[1] / medians[2]);
  }
  result.speedup[shards] = { ratio: median(ratios), one: median(rates[1]), two: median(rates[2]) };
  const bar = shards === 4 ? 1.85 : 1.58;
  say(
    `  ${shards} shards: ${median(rates[1]).toFixed(0)} -> ${median(rates[2]).toFixed(0)} images/s, ratio ${spread(ratios)}  (bar: ${bar})`,
  );
}

const memory = await train('memory', ['--workers', '2', '--epochs', '1']);
result.memoryMb = { coordinator: memory.peaks.coordinator, workers: Object.values(memory.peaks.workers) };
const datasetMb = 184;
say(`\nhighest resident memory, cluster-cnn3, two workers, MB`);
say(
  `  coordinator ${result.memoryMb.coordinator.toFixed(0)}, of it the dataset ${datasetMb}  (bar: 300 beyond the dataset)`,
);
say(`  workers     ${result.memoryMb.workers.map((mb) => mb.toFixed(0)).join(', ')}  (bar: 400 each)`);

const starts = [];
for (let round = 0; round < rounds; round++) starts.push((await firstStep()) / 1000);
result.firstStepSeconds = median(starts);
say(`\nfrom npm start to the first training step, s: ${spread(starts)}  (bar: 3)`);

rmSync(scratch, { recursive: true, force: true });
if (options.json) console.log(JSON.stringify(result, null, 2));
