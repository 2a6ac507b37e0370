// npm run bench:paths: gain of each special path (docs/decisions/0012 to 0015) on a whole job: cluster-cnn3 on two
// workers, as it is and without the path, in turns. Runs the built `lockstep` command; Linux only, for processor times.
// Usage: node test/bench/paths.mjs [--only NAME,...] [--epochs N] [--workers N] [--shards N] [--synthetic] [--json]
//   [--against DIRECTORY]
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { alternate, childrenOf } from './alternate.mjs';
import { machine, median, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    epochs: { type: 'string', default: '6' },
    workers: { type: 'string', default: '2' },
    shards: { type: 'string', default: '5' },
    synthetic: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    // Another checkout of Lockstep, built: compares this one with it instead.
    against: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('../../', import.meta.url));
const preload = new URL('./without.mjs', import.meta.url).href;
const scratch = mkdtempSync(join(tmpdir(), 'lockstep-paths-'));

const withoutPath = (name) => ({ env: { NODE_OPTIONS: `--import=${preload}`, LOCKSTEP_BENCH_WITHOUT: name } });
/** Flags and environment that take one path away. */
const variants = {
  'local-transport': { flags: ['--no-shared-memory'] },
  'huge-pages': { env: { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' } },
  'collector-hints': withoutPath('collector-hints'),
  'extra-threads': withoutPath('extra-threads'),
};
const overGrpc = { flags: ['--no-shared-memory'] };

/** Steps of an epoch; `lockstep` prints one line per 100. */
const stepsPerEpoch = 100;
const batchPerShard = 49;
/** The dataset has five batches of images, and the limit is for each. */
const limit = (stepsPerEpoch * batchPerShard * Number(options.shards)) / 5;

function trainArgs(directory, flags) {
  const size = ['--epochs', options.epochs, '--shards', options.shards, '--workers', options.workers];
  const set = [
    `data.limit=${limit}`,
    'evaluation.everyEpochs=0',
    ...(options.synthetic ? ['data.dataset=synthetic'] : []),
  ];
  // The heartbeat limit is long, so that workers stopped between turns aren't lost.
  const others = ['--run', directory, '--heartbeat-limit', '600', ...set.flatMap((entry) => ['--set', entry])];
  return ['train', '--preset', 'cluster-cnn3', ...size, ...others, ...flags];
}

/** A run for `alternate`. Resolves to its step times in ms, and processor times in ms per step of each epoch. */
function contestant({ flags = [], env = {}, checkout = root }) {
  return async (started) => {
    const directory = join(scratch, Math.random().toString(36).slice(2));
    const stdio = ['ignore', 'pipe', 'inherit'];
    const child = spawn(process.execPath, [join(checkout, 'dist/cli/main.js'), ...trainArgs(directory, flags)], {
      stdio,
      env: { ...process.env, ...env },
    });
    started(child);
    const samples = [];
    child.stdout.on('data', (data) => {
      if (/Train Epoch: \d+ \[0\//.test(String(data))) samples.push(processorTimes(child.pid));
    });
    const code = await new Promise((resolve) => child.on('exit', resolve));
    if (code !== 0) throw new Error(`lockstep ${flags.join(' ')} ended with exit code ${code}`);
    return { steps: stepsOf(directory), ...perEpoch(samples) };
  };
}

/** Processor time so far of the coordinator and of its workers together, in ms. */
function processorTimes(pid) {
  const workers = childrenOf(pid).map(processorMs);
  return { coordinator: processorMs(pid), workers: workers.reduce((a, b) => a + b, 0) };
}

function processorMs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((id) =>
    Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((a, b) => a + b, 0) / 1e6;
}

/** Increase from epoch to epoch per step. The first epoch is left out: Node.js still compiles. */
function perEpoch(samples) {
  const pairs = samples.slice(2).map((sample, i) => [samples[i + 1], sample]);
  const increase = (side) => pairs.map(([from, to]) => (to[side] - from[side]) / stepsPerEpoch);
  return { coordinator: increase('coordinator'), workers: increase('workers') };
}

function stepsOf(directory) {
  const rows = readFileSync(join(directory, 'steps.csv'), 'utf8').trim().split('\n').slice(1);
  rmSync(directory, { recursive: true, force: true });
  return rows.map((row) => Number(row.split(',')[6])).slice(stepsPerEpoch);
}

async function compare(name, full, without) {
  const [as, less] = await alternate(contestant(full), contestant(without));
  const gain = 1 - median(as.steps) / median(less.steps);
  say(`\n${name}: gain of the median step ${(gain * 100).toFixed(1)} %  (kept from 5 % on)`);
  for (const [label, run] of [
    ['with', as],
    ['without', less],
  ]) {
    say(
      `  ${label.padEnd(8)} step ${spread(run.steps)} ms; processor ms per step: coordinator ${spread(run.coordinator)}, workers ${spread(run.workers)}`,
    );
  }
  return { name, gain, with: as, without: less };
}

for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => process.exit(1));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const say = options.json ? () => undefined : console.log;
/** The two contestants of each comparison: with the path, and without. */
const comparisons = options.against
  ? { 'this build over the other': [{}, { checkout: options.against }] }
  : {
      ...Object.fromEntries(Object.entries(variants).map(([name, without]) => [name, [{}, without]])),
      // Local workers send nothing over gRPC during steps.
      'collector-hints-grpc': [overGrpc, { ...overGrpc, ...variants['collector-hints'] }],
    };
const chosen = options.only?.split(',') ?? Object.keys(comparisons);
say(`${machine()}\ncluster-cnn3, ${options.shards} shards of ${batchPerShard}, ${options.workers} workers`);
const results = [];
for (const name of chosen) {
  if (!comparisons[name]) throw new Error(`--only: expected ${Object.keys(comparisons).join(', ')}, got ${name}`);
  results.push(await compare(name, ...comparisons[name]));
}
if (options.json) console.log(JSON.stringify(results, null, 2));
