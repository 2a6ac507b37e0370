// Training step and evaluation of the native engine, compared with PyTorch's: the built-in models, one and two threads,
// each instruction set. Each contestant is a process of its own; blocks of steps alternate between them, so that all
// see the same machine.
// Usage: npm run bench:engine -- [--only NAME,...] [--python PATH]... [--rounds 15] [--block-ms 400] [--json]
import { parseArgs } from 'node:util';
import { interleave, ownProcess, pythons, pytorch } from './engine-contestants.mjs';
import { machine, median, quantile, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    python: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '15' },
    'block-ms': { type: 'string', default: '400' },
    json: { type: 'boolean', default: false },
  },
});
const [rounds, blockMs] = [options.rounds, options['block-ms']].map(Number);
const train = { threads: 1, task: 'train', isas: [undefined], torch: true };
/** `isas`: one Lockstep for each; undefined is the fastest here. `env`: PyTorch's. */
const scenarios = {
  'cnn3-49': { ...train, model: 'cnn3', batch: 49 },
  'cnn3-49-avx2': { ...train, model: 'cnn3', batch: 49, isas: ['avx2'], env: pytorchOn('avx2') },
  'cnn3-49-two-threads': { ...train, model: 'cnn3', batch: 49, threads: 2 },
  'cnn3-245-two-threads': { ...train, model: 'cnn3', batch: 245, threads: 2 },
  'cnn4-49': { ...train, model: 'cnn4', batch: 49 },
  'cnn4-128': { ...train, model: 'cnn4', batch: 128 },
  'resnet20-49': { ...train, model: 'resnet20', batch: 49 },
  'resnet20-128': { ...train, model: 'resnet20', batch: 128 },
  'cnn3-evaluate': { ...train, model: 'cnn3', batch: 1000, task: 'evaluate' },
  'cnn3-49-wasm': { ...train, model: 'cnn3', batch: 49, isas: ['wasm', undefined], torch: false },
};

/** Settings of PyTorch, oneDNN and MKL; torch.compile follows the first. */
function pytorchOn(isa) {
  return {
    ATEN_CPU_CAPABILITY: isa,
    ONEDNN_MAX_CPU_ISA: isa.toUpperCase(),
    MKL_ENABLE_INSTRUCTIONS: isa.toUpperCase(),
  };
}

async function contestantsOf(scenario, found) {
  const starts = scenario.isas.map((isa) => {
    const name = `Lockstep${isa ? ` ${isa}` : ''}`;
    return () => ownProcess(name, scenario, { name: 'native', ...(isa && { isa }) });
  });
  for (const [, python] of scenario.torch ? found : []) {
    for (const mode of ['compile', 'compile-channels-last']) {
      starts.push(() => pytorch(python, mode, scenario, { env: scenario.env }));
    }
  }
  const present = [];
  for (const start of starts) {
    const contestant = await start();
    if (contestant.problem === undefined) present.push(contestant);
    else console.error(`left out: ${contestant.name}: ${contestant.problem}`);
  }
  return present;
}

/** Times of one scenario, by contestant. */
async function compete(scenario, found) {
  const present = await contestantsOf(scenario, found);
  const counts = new Map();
  for (const { name, run } of present) {
    const stepMs = median((await run(8)).slice(4));
    counts.set(name, Math.max(1, Math.round(blockMs / stepMs)));
    await run(counts.get(name));
  }
  const times = await interleave(present, rounds, ({ name }) => counts.get(name));
  for (const { stop } of present) stop();
  return times;
}

function summary(times, { batch }) {
  const [first] = times.values();
  return [...times].map(([name, ms]) => ({
    name,
    medianMs: median(ms),
    lowerQuartileMs: quantile(ms, 0.25),
    upperQuartileMs: quantile(ms, 0.75),
    steps: ms.length,
    imagesPerSecond: (1000 * batch) / median(ms),
    firstOverThis: median(first) / median(ms),
    // The quietest tenth: what neighbours on the machine add is left out.
    quietFirstOverThis: quantile(first, 0.1) / quantile(ms, 0.1),
    spread: spread(ms),
  }));
}

function print(name, { model, batch, threads, task }, results) {
  console.log(`\n${name}: ${model}, batch ${batch}, ${threads} threads, ${task}`);
  for (const { name, spread: ms, imagesPerSecond, firstOverThis, quietFirstOverThis } of results) {
    const ratios = `${firstOverThis.toFixed(2)} (of the fastest tenths ${quietFirstOverThis.toFixed(2)})`;
    console.log(`  ${name}: ${ms} ms, ${imagesPerSecond.toFixed(0)} images/s; first over this ${ratios}`);
  }
}

const names = options.only?.split(',') ?? Object.keys(scenarios);
for (const name of names) {
  if (scenarios[name]) continue;
  console.error(`--only: expected some of ${Object.keys(scenarios).join(', ')}, got ${name}`);
  process.exit(2);
}
if (!options.json) console.log(machine());
const found = pythons(options.python ?? ['python3', '/usr/bin/python3']);
const report = [];
for (const name of names) {
  const scenario = scenarios[name];
  const results = summary(await compete(scenario, found), scenario);
  report.push({ scenario: name, ...scenario, results });
  if (!options.json) print(name, scenario, results);
}
if (options.json) console.log(JSON.stringify({ machine: machine(), scenarios: report }, null, 2));
