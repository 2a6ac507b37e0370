// npm run bench:cluster: overhead of the cluster over the bare engine, gain of a second worker, memory and start-up
// time. Runs the built `lockstep` command; needs CIFAR-10 (LOCKSTEP_DATA or the cache), else --synthetic.
// Usage: node test/bench/cluster.mjs [--rounds N] [--json] [--synthetic]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { memorySettings } from '../../dist/cli/workers/local-workers.js';
import { alternate, childrenOf } from './alternate.mjs';
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

const small = ['--set', 'data.limit=2000', '--set', 'evaluation.everyEpochs=0'];

/** Arguments of `lockstep train`, and the file that will hold its steps. */
function training(name, flags) {
  const directory = join(scratch, `${name}-${Math.random().toString(36).slice(2)}`);
  return { directory, args: ['train', '--preset', 'cluster-cnn3', '--run', directory, ...dataset, ...flags] };
}

/** Durations of a run's full steps in ms, without the first ones, and the samples per step. */
function stepsOf(directory) {
  const rows = readFileSync(join(directory, 'steps.csv'), 'utf8').trim().split('\n').slice(1);
  const steps = rows.map((row) => row.split(',').map(Number)).map((r) => ({ samples: r[2], ms: r[6] }));
  const samples = Math.max(...steps.map((step) => step.samples));
  rmSync(directory, { recursive: true, force: true });
  const full = steps.slice(10).filter((step) => step.samples === samples);
  return { ms: full.map(({ ms }) => ms), samples };
}

/**
 * A `lockstep train` for `alternate`; resolves to its steps. Its heartbeat limit is long, so that it doesn't lose its
 * workers while stopped.
 */
function cluster(name, flags) {
  const { directory, args } = training(name, [...small, '--heartbeat-limit', '600', ...flags]);
  return async (started) => {
    const child = spawn(process.execPath, [lockstep, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    started(child);
    const code = await new Promise((resolve) => child.on('exit', resolve));
    if (code !== 0) throw new Error(`lockstep ${args.join(' ')} ended with exit code ${code}`);
    return stepsOf(directory);
  };
}

/**
 * `count` engines side by side, program and optimizer in one thread each, nothing else; ms per step.
 * @param settings - environment variables besides those of this process.
 */
function bareEngines(count, steps, settings = {}) {
  const env = { ...process.env, ...settings };
  const script = fileURLToPath(new URL('./bare-engine.mjs', import.meta.url));
  return async (started) => {
    const times = Array.from({ length: count }, () => {
      const child = spawn(process.execPath, [script, String(steps)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      started(child);
      let text = '';
      child.stdout.on('data', (data) => (text += data));
      return new Promise((resolve) => child.on('exit', () => resolve(JSON.parse(text))));
    });
    return (await Promise.all(times)).flat();
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

for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => process.exit(1));
const result = { machine: machine(), rounds };
say(`machine: ${result.machine}`);

// An epoch has 205 steps of 49 images.
const epochs = 3 + 2 * rounds;
const overheadFlags = ['--workers', '1', '--cores', '1', '--shards', '1', '--epochs', String(epochs)];
const [overheadRun, plain, bare, byGrpc] = await alternate(
  cluster('overhead', overheadFlags),
  bareEngines(1, 205 * epochs),
  bareEngines(1, 205 * epochs, memorySettings),
  cluster('grpc', [...overheadFlags, '--no-shared-memory']),
);
// Node.js compiles the step's code gradually; only from here on do steps take the same time.
const parts = { first: [0, 190], warm: [600] };
/** Ratio of the cluster's step to the bare engine's, measured at about the same time. */
const over = (part, base, run = overheadRun) =>
  median(run.ms.slice(...parts[part])) - median(base.slice(...parts[part]));
/** One of the equal sections of a run; there are as many as rounds. */
const partOf = (ms, part) =>
  ms.slice(Math.floor((part * ms.length) / rounds), Math.floor(((part + 1) * ms.length) / rounds));
const overText = (part, run = overheadRun) => {
  const [overPlain, overBare] = [plain, bare].map((base) => {
    const share = (over(part, base, run) / median(base.slice(...parts[part]))) * 100;
    return `${over(part, base, run).toFixed(2)} ms (${share.toFixed(1)} %)`;
  });
  return `${spread(run.ms.slice(...parts[part]))}, over plain ${overPlain}, over huge ${overBare}`;
};
for (const [name, base] of Object.entries({ overheadMs: plain, overheadOverHugeMs: bare })) {
  result[name] = { first: over('first', base), warm: over('warm', base), grpc: over('warm', base, byGrpc) };
}
say(`\none worker, one shard, batch 49, ms per step  (bar: 2 ms or 10 % over the bare engine)`);
say(`  bare engine with optimizer, plain                ${spread(plain)}`);
say(`  the same with the huge pages that a worker has   ${spread(bare)}`);
say(`  cluster, steps 10 to 200    ${overText('first')}`);
say(`  cluster, from step 600 on   ${overText('warm')}`);
say(`  by gRPC alone, from step 600 on   ${overText('warm', byGrpc)}`);

say(`\ntwo workers on two cores over one on one, images/s (ratio of median step times, part by part of the runs)`);
result.speedup = {};
for (const shards of [4, 5]) {
  // One worker per core: nothing changes while both have work, and an idle core helps the other.
  const places = (workers) => ['--workers', workers, '--cores', workers, '--shards', String(shards)];
  // One worker gets half the steps, so that all last equally long and each section has its match in the others.
  const bareSteps = 205 * 3 * rounds;
  const [alone, sideBySide, ...runs] = await alternate(
    bareEngines(1, bareSteps, memorySettings),
    bareEngines(2, bareSteps, memorySettings),
    cluster(`one-${shards}`, [...places('1'), '--epochs', String(3 * rounds)]),
    cluster(`two-${shards}`, [...places('2'), '--epochs', String(6 * rounds)]),
  );
  // Cores share caches and memory, so this is the most that two workers can gain, whatever their overhead.
  const limit = (2 * median(alone)) / median(sideBySide);
  const [one, two] = runs.map(({ ms }) => Array.from({ length: rounds }, (_, part) => median(partOf(ms, part))));
  const ratios = one.map((ms, part) => ms / two[part]);
  const rates = runs.map(({ ms, samples }) => (samples / median(ms)) * 1000);
  result.speedup[shards] = { ratio: median(ratios), limit, one: rates[0], two: rates[1] };
  const bar = shards === 4 ? 1.85 : 1.58;
  const rateText = rates.map((rate) => rate.toFixed(0)).join(' -> ');
  say(`  ${shards} shards: ${rateText} images/s, ratio ${spread(ratios)}  (bar: ${bar})`);
  say(`    two bare engines side by side over one, meanwhile: ${limit.toFixed(2)}`);
}

const peaks = await run(training('memory', ['--workers', '2', '--epochs', '1']).args);
result.memoryMb = { coordinator: peaks.coordinator, workers: Object.values(peaks.workers) };
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
