// Training steps per engine and device, compared with PyTorch's, on this machine's GPU: images/s. Each contestant is a
// process of its own; blocks of steps alternate between them. A step begins and ends in the host's memory: parameters
// and images in, gradient out, SGD with momentum (PyTorch: images in, loss out, parameters stay on the GPU). Anything
// not installed is named and skipped; scripts/gpu-setup.sh fetches it.
// Usage: npm run bench:gpu -- [--model cnn3]... [--batch 49]... [--python PATH]... [--device gpu|cpu] [--rounds 9]
//       [--block-ms 300] [--json]
import { parseArgs } from 'node:util';
import { interleave, ownProcess, pythons, pytorch } from './engine-contestants.mjs';
import { cudaEnvironment, describeMachine } from './gpu-machine.mjs';
import { machine, median, quantile, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: ['cnn3'] },
    batch: { type: 'string', multiple: true, default: ['49', '256', '1024'] },
    python: { type: 'string', multiple: true, default: ['python3', '/usr/bin/python3'] },
    device: { type: 'string', default: 'gpu' },
    rounds: { type: 'string', default: '9' },
    'block-ms': { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
  },
});
const [rounds, blockMs] = [options.rounds, options['block-ms']].map(Number);
const onnx = (device, precision = 'float32') => ({ name: 'onnx', device, precision });
/** Engines, the `info.device` each must report, and PyTorch's settings, by `--device`. */
const devices = {
  gpu: {
    engines: [
      { name: 'onnx cuda float32', options: onnx('cuda'), expected: 'cuda' },
      { name: 'onnx cuda tf32', options: onnx('cuda', 'tf32'), expected: 'cuda tf32' },
      { name: 'onnx webgpu', options: onnx('webgpu'), expected: 'webgpu' },
      { name: 'tensorflow', options: { name: 'tensorflow' }, expected: 'cuda' },
    ],
    torch: { device: 'cuda', precisions: ['float32', 'default', 'benchmark'] },
  },
  cpu: {
    engines: [
      { name: 'native', options: { name: 'native' }, expected: 'cpu' },
      { name: 'tensorflow', options: { name: 'tensorflow' }, expected: 'cpu' },
    ],
    torch: { device: 'cpu', precisions: ['default'] },
  },
};
/** Reasons why contestants can't take part; these aren't tried again with other sizes. */
const leftOut = new Map();

/** Contestants that can take part in a scenario. */
async function contestantsOf({ engines, torch }, found, scenario) {
  const env = cudaEnvironment(found.map(([, python]) => python));
  const present = [];
  for (const { name, options, expected } of engines) {
    await enter(present, name, expected, () => ownProcess(name, scenario, options, env));
  }
  for (const [version, python] of found) {
    for (const precision of torch.precisions) {
      const name = `PyTorch ${version}${torch.precisions.length > 1 ? ` ${precision}` : ''}`;
      await enter(present, name, undefined, () =>
        pytorch(python, 'eager', scenario, { device: torch.device, precision }),
      );
      if (leftOut.has(name)) break;
    }
  }
  return present;
}

async function enter(present, name, expected, start) {
  if (leftOut.has(name)) return;
  const contestant = await start();
  const problem = contestant.problem ?? deviceProblem(contestant, expected) ?? (await warm(contestant));
  if (problem === undefined) return present.push({ ...contestant, name });
  leftOut.set(name, problem);
  contestant.stop?.();
}

function deviceProblem({ about: { device } }, expected = device) {
  return device === expected ? undefined : `expected device ${expected}, got ${device}`;
}

/** Runs enough steps for clocks and caches to be steady. @returns the problem, or undefined. */
async function warm(contestant) {
  try {
    const stepMs = median(await contestant.run(3));
    contestant.count = Math.max(1, Math.round(blockMs / stepMs));
    await contestant.run(contestant.count);
  } catch (error) {
    return error.message;
  }
}

function summary(times, batch) {
  const rate = (ms) => (1000 * batch) / ms;
  const torch = [...times].filter(([name]) => name.startsWith('PyTorch'));
  return [...times].map(([name, ms]) => ({
    name,
    imagesPerSecond: rate(median(ms)),
    lowerQuartile: rate(quantile(ms, 0.75)),
    upperQuartile: rate(quantile(ms, 0.25)),
    steps: ms.length,
    over: Object.fromEntries(torch.map(([other, theirs]) => [other, median(theirs) / median(ms)])),
  }));
}

function print({ model, batch }, results) {
  const torch = Object.keys(results[0].over);
  const ratios = torch.length > 0 ? `; over ${torch.join(', ')}` : '';
  console.log(`\n${model}, batch ${batch}, images/s: median (quartiles, steps)${ratios}`);
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, imagesPerSecond, lowerQuartile, upperQuartile, steps, over } of results) {
    const [middle, ...quartiles] = [imagesPerSecond, lowerQuartile, upperQuartile].map((rate) => Math.round(rate));
    const shares = Object.values(over).map((ratio) => ratio.toFixed(2));
    console.log(`  ${name.padEnd(width)}  ${middle} (${quartiles.join(' to ')}, n = ${steps})  ${shares.join('  ')}`);
  }
}

const chosen = devices[options.device];
if (!chosen) {
  console.error(`--device: expected gpu or cpu, got ${options.device}`);
  process.exit(2);
}
const about = `${machine()}; ${(await describeMachine()) ?? "no GPU that NVIDIA's driver names"}`;
if (!options.json) console.log(about);
const found = pythons(options.python);
const report = [];
for (const [model, batch] of options.model.flatMap((name) => options.batch.map((size) => [name, Number(size)]))) {
  const scenario = { model, batch, threads: 1, task: 'train' };
  const present = await contestantsOf(chosen, found, scenario);
  if (present.length === 0) break;
  const results = summary(await interleave(present, rounds, ({ count }) => count), batch);
  for (const { stop } of present) stop();
  report.push({ ...scenario, results });
  if (!options.json) print(scenario, results);
}
if (options.json) console.log(JSON.stringify({ machine: about, scenarios: report, leftOut: [...leftOut] }, null, 2));
else {
  if (report.length === 0) console.log('\nNothing is measured: no engine works here.');
  for (const [name, reason] of leftOut) console.log(`left out: ${name}: ${reason}`);
  if (leftOut.size > 0) console.log('What is missing: scripts/gpu-setup.sh fetches it, docs/benchmarks.md tells how.');
}
