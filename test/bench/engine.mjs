// Training step and evaluation of the engine, compared with PyTorch's: the built-in models, one and two threads. Blocks
// of steps alternate between the engine and every PyTorch, so that all see the same machine.
// Usage: npm run bench:engine -- [--only NAME] [--python PATH]... [--rounds 15] [--block 8] [--json]
import { parseArgs } from 'node:util';
import { interleave, lockstep, pythons, pytorch } from './engine-contestants.mjs';
import { machine, median, quantile, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    python: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '15' },
    block: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
const [rounds, block] = [options.rounds, options.block].map(Number);
const scenarios = [
  { name: 'cnn3-49', model: 'cnn3', batch: 49, threads: 1, task: 'train' },
  { name: 'cnn3-49-two-threads', model: 'cnn3', batch: 49, threads: 2, task: 'train' },
  { name: 'cnn3-128', model: 'cnn3', batch: 128, threads: 1, task: 'train' },
  { name: 'cnn4-49', model: 'cnn4', batch: 49, threads: 1, task: 'train' },
  { name: 'cnn4-128', model: 'cnn4', batch: 128, threads: 1, task: 'train' },
  { name: 'resnet20-49', model: 'resnet20', batch: 49, threads: 1, task: 'train' },
  { name: 'resnet20-128', model: 'resnet20', batch: 128, threads: 1, task: 'train' },
  { name: 'cnn3-evaluate', model: 'cnn3', batch: 1000, threads: 1, task: 'evaluate' },
];

async function contestantsOf(scenario) {
  const present = [await lockstep(scenario)];
  for (const [version, python] of pythons(options.python ?? ['python3', '/usr/bin/python3'])) {
    const modes = Number(version.split('.')[0]) >= 2 ? ['eager', 'compile'] : ['eager'];
    for (const mode of modes) {
      const contestant = await pytorch(python, mode, scenario);
      if (contestant.problem === undefined) present.push(contestant);
      else console.error(`${python} ${mode}: left out: ${contestant.problem}`);
    }
  }
  return present;
}

/** Times of one scenario, by contestant. */
async function compete(scenario) {
  const present = await contestantsOf(scenario);
  const count = Math.max(1, Math.round((block * 49) / scenario.batch));
  for (const { run } of present) await run(3 * count);
  const times = await interleave(present, rounds, () => count);
  for (const { stop } of present) stop();
  return times;
}

function summary(times, { batch }) {
  const ours = median(times.values().next().value);
  return [...times].map(([name, ms]) => ({
    name,
    medianMs: median(ms),
    lowerQuartileMs: quantile(ms, 0.25),
    upperQuartileMs: quantile(ms, 0.75),
    steps: ms.length,
    imagesPerSecond: (1000 * batch) / median(ms),
    lockstepOverThis: ours / median(ms),
    spread: spread(ms),
  }));
}

const chosen = scenarios.filter(({ name }) => options.only === undefined || name === options.only);
if (chosen.length === 0) {
  console.error(`--only: expected one of ${scenarios.map(({ name }) => name).join(', ')}, got ${options.only}`);
  process.exitCode = 2;
}
const report = [];
for (const scenario of chosen) {
  const results = summary(await compete(scenario), scenario);
  report.push({ ...scenario, results });
  if (options.json) continue;
  const { model, batch, threads, task } = scenario;
  console.log(`${model}, batch ${batch}, threads ${threads}, ${task}; ${machine()}`);
  for (const { name, spread: ms, imagesPerSecond, lockstepOverThis } of results) {
    console.log(
      `  ${name}: ${ms} ms, ${imagesPerSecond.toFixed(0)} images/s, lockstep / this ${lockstepOverThis.toFixed(2)}`,
    );
  }
}
if (options.json) console.log(JSON.stringify({ machine: machine(), scenarios: report }, null, 2));
