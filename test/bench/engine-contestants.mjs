// Who takes part in bench:engine. A contestant runs a number of steps, or of evaluations, and gives their times in ms.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../dist/engine/create.js';
import { describeModel, initialWeights } from '../../dist/engine/model.js';
import { builtinTopology } from '../../dist/job/models.js';
import { createOptimizer } from '../../dist/job/optimizer.js';

const script = fileURLToPath(new URL('engine_torch.py', import.meta.url));
const [classes, imageShape] = [10, [32, 32, 3]];
const normalise = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.243, 0.261] };

/** This engine, in this process; a step is forward, backward and SGD with momentum. */
export async function lockstep({ model, batch, threads, task }) {
  const topology = builtinTopology(model, imageShape, classes);
  const { params, state } = await initialWeights(topology, 1);
  const engine = await createEngine({ name: 'onnx', threads });
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
  return { name: `lockstep (${engine.info.version}, ${engine.info.lowering})`, run, stop: () => {} };
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

/** PyTorch in a process of its own; undefined, with a reason on standard error, where it does not work. */
export async function pytorch(python, mode, { model, batch, threads, task }) {
  const child = spawn(python, [script, mode, model, String(batch), String(threads), task]);
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
  return { name: `PyTorch ${about.version} ${mode}`, run, stop: () => child.stdin.end() };
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
