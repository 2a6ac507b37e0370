// A run of the built `lockstep train --preset cluster-cnn3`, as a contestant of bench:cluster and bench:paths.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childrenOf, processorMs, residentMb } from './processes.mjs';

/** Steps of an epoch; `lockstep` prints one line per 100. */
export const stepsPerEpoch = 100;
const batchPerShard = 49;
/** Folder of this project. */
export const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
/** A run directory that is removed when this process ends. */
export const newDirectory = () => join(scratch, Math.random().toString(36).slice(2));
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => process.exit(1));

/**
 * @param job - `epochs`, `shards`, `workers`; `synthetic` instead of CIFAR-10; further `flags` and `env`; `checkout`:
 *   folder of another build.
 * @returns a contestant for `alternate`. It resolves to the step times in ms and the highest memory in MB, without the
 *   first epoch, while Node.js still compiles; and to processor times in ms per step, one for each epoch.
 */
export function job({ epochs, shards, workers, synthetic, flags = [], env = {}, checkout = root }) {
  return async (started) => {
    const directory = newDirectory();
    const args = trainArgs({ directory, epochs, shards, workers, synthetic, flags });
    const child = spawn(process.execPath, [join(checkout, 'dist/cli/main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    started(child);
    const samples = [];
    child.stdout.on('data', (data) => {
      if (/Train Epoch: \d+ \[0\//.test(String(data))) samples.push(sampleOf(child.pid));
    });
    const code = await new Promise((resolve) => child.on('exit', resolve));
    if (code !== 0) throw new Error(`lockstep ${args.join(' ')} ended with exit code ${code}`);
    return { steps: stepsOf(directory), ...perEpoch(samples), memory: memoryOf(samples) };
  };
}

function trainArgs({ directory, epochs, shards, workers, synthetic, flags }) {
  const size = ['--epochs', epochs, '--shards', shards, '--workers', workers].map(String);
  // The dataset has five batches of images, and the limit is for each.
  const limit = (stepsPerEpoch * batchPerShard * Number(shards)) / 5;
  const set = [`data.limit=${limit}`, 'evaluation.everyEpochs=0', ...(synthetic ? ['data.dataset=synthetic'] : [])];
  // The heartbeat limit is long, so that workers stopped between turns aren't lost.
  const others = ['--run', directory, '--heartbeat-limit', '600', ...set.flatMap((entry) => ['--set', entry])];
  return ['train', '--preset', 'cluster-cnn3', ...size, ...others, ...flags];
}

function sampleOf(pid) {
  const workers = childrenOf(pid);
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  return {
    coordinator: processorMs(pid),
    workers: sum(workers.map(processorMs)),
    coordinatorMb: residentMb(pid),
    workerMb: Math.max(0, ...workers.map(residentMb)),
  };
}

function perEpoch(samples) {
  const pairs = samples.slice(2).map((sample, i) => [samples[i + 1], sample]);
  const increase = (side) => pairs.map(([from, to]) => (to[side] - from[side]) / stepsPerEpoch);
  return { coordinator: increase('coordinator'), workers: increase('workers') };
}

function memoryOf(samples) {
  const highest = (key) => Math.max(...samples.slice(1).map((sample) => sample[key]));
  return { coordinator: highest('coordinatorMb'), worker: highest('workerMb') };
}

function stepsOf(directory) {
  const rows = readFileSync(join(directory, 'steps.csv'), 'utf8').trim().split('\n').slice(1);
  rmSync(directory, { recursive: true, force: true });
  return rows.map((row) => Number(row.split(',')[6])).slice(stepsPerEpoch);
}
