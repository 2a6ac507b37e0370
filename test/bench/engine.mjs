// The engine's training step beside PyTorch's: cnn3, one thread, forward, backward and SGD with momentum.
// Blocks of steps alternate between the engine and every PyTorch, so that all see the same machine.
// Usage: npm run bench:engine -- [--python PATH]... [--batch 49] [--rounds 15] [--block 8] [--json]
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine } from '../../dist/engine/create.js';
import { describeModel, initialWeights } from '../../dist/engine/model.js';
import { builtinTopology } from '../../dist/job/models.js';
import { createOptimizer } from '../../dist/job/optimizer.js';
import { machine, median, quantile, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', multiple: true },
    batch: { type: 'string', default: '49' },
    rounds: { type: 'string', default: '15' },
    block: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
const [batch, rounds, block] = [options.batch, options.rounds, options.block].map(Number);
const script = fileURLToPath(new URL('engine_torch.py', import.meta.url));

/** A contestant runs a number of steps and gives their times in ms. */
async function lockstep() {
  const [classes, imageShape] = [10, [32, 32, 3]];
  const normalise = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.243, 0.261] };
  const topology = builtinTopology('cnn3', imageShape, classes);
  const layout = await describeModel(topology);
  const { params, state } = await initialWeights(topology, 1);
  const engine = await createEngine({ name: 'onnx', threads: 1 });
  const program = await engine.compileTrain({ topology, imageShape, classes, normalise, batch, mode: 'train' });
  const sgd = { type: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 0 };
  const optimizer = createOptimizer(sgd, layout.parameterCount);
  const images = Uint8Array.from({ length: batch * 3072 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
  let step = 0;
  const run = async (count) => {
    const times = [];
    for (let i = 0; i < count; i++) {
      const begin = performance.now();
      const { gradient } = await program.run({ params, state, images, labels });
      optimizer.apply(params, gradient, { samples: batch, learningRate: 0.01, step: step++ });
      times.push(performance.now() - begin);
    }
    return times;
  };
  return { name: `lockstep (${engine.info.version}, ${engine.info.lowering})`, run, stop: () => {} };
}

/** PyTorch in a process of its own; undefined, with a reason on standard error, where it does not work. */
async function pytorch(python, mode) {
  const child = spawn(python, [script, mode, String(batch)], { stdio: ['pipe', 'pipe', 'pipe'] });
  let problem = '';
  child.stderr.on('data', (data) => (problem = String(data)));
  child.on('error', (error) => (problem = error.message));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    return done ? undefined : JSON.parse(value);
  };
  const about = await answer();
  if (!about) {
    console.error(`${python} ${mode}: left out: ${problem.trim().split('\n').at(-1)}`);
    return undefined;
  }
  const run = (count) => {
    child.stdin.write(`${count}\n`);
    return answer();
  };
  return { name: `PyTorch ${about.version} ${mode}`, version: about.version, mode, run, stop: () => child.stdin.end() };
}

/** Pythons that can import torch, each version once. */
function pythons() {
  const found = new Map();
  for (const python of options.python ?? ['python3', '/usr/bin/python3']) {
    const { stdout } = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
    const version = stdout?.trim();
    if (version && !found.has(version)) found.set(version, python);
    if (!version) console.error(`${python}: left out: it cannot import torch`);
  }
  return [...found.entries()];
}

const contestants = [await lockstep()];
for (const [version, python] of pythons()) {
  const modes = Number(version.split('.')[0]) >= 2 ? ['eager', 'compile'] : ['eager'];
  for (const mode of modes) contestants.push(await pytorch(python, mode));
}
const present = contestants.filter((contestant) => contestant !== undefined);
const times = new Map(present.map(({ name }) => [name, []]));
for (const { run } of present) await run(3 * block);
for (let round = 0; round < rounds; round++) {
  for (const { name, run } of present) times.get(name).push(...(await run(block)));
}
for (const { stop } of present) stop();

const ours = median(times.get(present[0].name));
const results = present.map(({ name }) => {
  const ms = times.get(name);
  return {
    name,
    medianMs: median(ms),
    lowerQuartileMs: quantile(ms, 0.25),
    upperQuartileMs: quantile(ms, 0.75),
    steps: ms.length,
    imagesPerSecond: (1000 * batch) / median(ms),
    lockstepOverThis: ours / median(ms),
  };
});
if (options.json)
  console.log(JSON.stringify({ machine: machine(), model: 'cnn3', batch, threads: 1, results }, null, 2));
else {
  console.log(`cnn3, batch ${batch}, one thread, whole step with SGD; ${machine()}`);
  for (const result of results) {
    const ms = spread(times.get(result.name));
    const rate = result.imagesPerSecond.toFixed(0);
    console.log(`${result.name}: ${ms} ms, ${rate} images/s, lockstep / this ${result.lockstepOverThis.toFixed(2)}`);
  }
}
