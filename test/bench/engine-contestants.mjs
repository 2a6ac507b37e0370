// Contestants of bench:engine and bench:gpu. A contestant runs a number of steps, or of evaluations, and returns their
// times in ms. A scenario is { model, batch, threads, task }, task being train or evaluate.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../dist/engine/create.js';
import { describeModel, initialWeights } from '../../dist/engine/model/model.js';
import { builtinTopology } from '../../dist/job/models.js';
import { createOptimizer } from '../../dist/job/optimizer.js';

/** A contestant that takes longer is considered hung. */
const lifetimeMs = 30 * 60_000;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const [classes, imageShape] = [10, [32, 32, 3]];
const normalise = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.243, 0.261] };

/**
 * An engine in this process; a step is forward, backward and SGD with momentum.
 * @param options - of createEngine.
 */
export async function lockstep({ model, batch, threads, task }, options) {
  const topology = builtinTopology(model, imageShape, classes);
  const { params, state } = await initialWeights(topology, 1);
  const engine = await createEngine({ threads, ...options });
  const spec = { topology, imageShape, classes, normalise, batch };
  const images = Uint8Array.from({ length: batch * 3072 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
  const input = { params, state, images, labels };
  const once = task === 'train' ? await training(engine, spec, input) : await evaluation(engine, spec, input);
  const run = async (count) => {
    const times = [];
    for (let i = 0; i < count; i++) {
      const begin = performance.now();
      await once();
      times.push(performance.now() - begin);
    }
    return times;
  };
  return { about: engine.info, run };
}

async function training(engine, spec, input) {
  const { parameterCount } = await describeModel(spec.topology);
  const program = await engine.compileTrain({ ...spec, mode: 'train' });
  const sgd = { type: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 0 };
  const optimizer = createOptimizer(sgd, parameterCount);
  let step = 0;
  return async () => {
    const { gradient } = await program.run(input);
    optimizer.apply(input.params, gradient, { samples: spec.batch, learningRate: 0.01, step: step++ });
  };
}

async function evaluation(engine, spec, input) {
  const program = await engine.compileEvaluate({ ...spec, mode: 'evaluate' });
  return () => program.run(input);
}

/** An engine in a process of its own: CUDA and libtensorflow take their settings once per process. */
export function ownProcess(name, scenario, options, env) {
  return remote(name, process.execPath, [here('engine-steps.mjs'), JSON.stringify({ scenario, options })], env);
}

/**
 * PyTorch in a process of its own.
 * @param mode - `eager`, `compile` or `compile-channels-last`.
 * @param settings - `precision` is float32, default or benchmark, and matters on a GPU; `env` adds variables.
 */
export function pytorch(python, mode, scenario, { device = 'cpu', precision = 'default', env = {} } = {}) {
  const { model, batch, threads, task } = scenario;
  const args = [here('engine_torch.py'), mode, model, String(batch), String(threads), task, device, precision];
  const title = (about) => `PyTorch${about ? ` ${about.version}` : ''} ${mode}`;
  return remote(title, python, args, env);
}

/**
 * A process that describes itself in a line of JSON, then answers each number with the times of that many steps.
 * @param name - the contestant's name, or a function of that description.
 * @returns a contestant with its process, `child`; or the reason why it can't take part: `{ problem }`.
 */
async function remote(name, command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, timeout: lifetimeMs, killSignal: 'SIGKILL' });
  let errors = '';
  child.stderr.on('data', (data) => (errors = (errors + data).slice(-10_000)));
  child.stdin.on('error', () => {});
  child.on('error', (error) => (errors = error.message));
  const problem = () => errors.trim().split('\n').at(-1);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nameFor = (about) => (typeof name === 'function' ? name(about) : name);
  const answer = async () => {
    const { value, done } = await lines.next();
    return done ? undefined : JSON.parse(value);
  };
  const about = await answer();
  if (!about) return { name: nameFor(undefined), problem: problem() };
  const run = async (count) => {
    child.stdin.write(`${count}\n`);
    const times = await answer();
    if (times) return times;
    throw new Error(`expected the times of ${count} steps, got: ${problem()}`);
  };
  return { name: nameFor(about), about, run, child, stop: () => child.stdin.end() };
}

/** Pythons that can import torch, each version once: `[version, python]`. */
export function pythons(candidates) {
  const found = new Map();
  for (const python of candidates) {
    const { stdout } = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
    const version = stdout?.trim();
    if (version && !found.has(version)) found.set(version, python);
    if (!version) console.error(`${python}: left out: it cannot import torch`);
  }
  return [...found.entries()];
}

/**
 * Blocks of steps alternate between the contestants, so that all see the same machine.
 * @param countOf - steps of a contestant's block.
 * @returns times by name.
 */
export async function interleave(present, rounds, countOf) {
  const times = new Map(present.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contestant of present) times.get(contestant.name).push(...(await contestant.run(countOf(contestant))));
  }
  return times;
}
