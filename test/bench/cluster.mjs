// npm run bench:cluster: a whole job, cluster-cnn3 on two workers, compared with one PyTorch process with two threads
// and with one worker; processor time of the coordinator, memory, and start-up. Runs the built `lockstep` command;
// needs CIFAR-10 (LOCKSTEP_DATA or the cache), else --synthetic.
// Usage: npm run bench:cluster -- [--epochs N] [--shards N] [--python PATH]... [--starts N] [--json] [--synthetic]
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { alternate } from './alternate.mjs';
import { pythons, pytorch } from './engine-contestants.mjs';
import { job, newDirectory, root, stepsPerEpoch } from './job.mjs';
import { childrenOf } from './processes.mjs';
import { machine, median, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    epochs: { type: 'string', default: '8' },
    shards: { type: 'string', default: '5' },
    python: { type: 'string', multiple: true, default: ['python3', '/usr/bin/python3'] },
    starts: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    synthetic: { type: 'boolean', default: false },
  },
});
const { synthetic } = options;
const [epochs, shards] = [options.epochs, options.shards].map(Number);
const batch = 49 * shards;
const say = options.json ? () => undefined : console.log;
const run = (workers, count) => job({ epochs: count, shards, workers, synthetic });

/** PyTorch with the fastest of two layouts, warm and stopped; a step converts the images' bytes, as a worker does. */
async function fastestPytorch() {
  const scenario = { model: 'cnn3', batch, threads: 2, task: 'train' };
  const present = [];
  for (const [, python] of pythons(options.python)) {
    for (const mode of ['compile', 'compile-channels-last']) {
      const contestant = await pytorch(python, mode, scenario);
      if (contestant.problem) console.error(`left out: ${contestant.name}: ${contestant.problem}`);
      else present.push({ ...contestant, warmMs: median((await contestant.run(20)).slice(10)) });
    }
  }
  const [fastest, ...others] = present.sort((a, b) => a.warmMs - b.warmMs);
  for (const { stop } of others) stop();
  return fastest;
}

/** For `alternate`. */
function steps({ child, run, stop }, count) {
  return async (started) => {
    started(child);
    const times = await run(count);
    stop();
    return times;
  };
}

/** Seconds from starting the command that `npm start` runs to the end of its first step. */
function firstStep() {
  const begin = performance.now();
  const args = ['start', '--', '--run', newDirectory(), ...(synthetic ? ['--set', 'data.dataset=synthetic'] : [])];
  const child = spawn('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    let text = '';
    let found;
    child.stdout.on('data', (data) => {
      text += data;
      if (found !== undefined || !text.includes('Train Epoch: 1 [0/')) return;
      found = (performance.now() - begin) / 1000;
      const pids = childrenOf(child.pid).flatMap((pid) => [pid, ...childrenOf(pid)]);
      for (const pid of pids) process.kill(pid, 'SIGINT');
    });
    child.on('exit', () => resolve(found));
  });
}

say(machine());
const torch = await fastestPytorch();
// One worker and PyTorch get half the steps, so that all last about equally long.
const half = Math.ceil(epochs / 2);
const [two, one, theirs] = await alternate(
  run(2, epochs),
  run(1, half),
  ...(torch ? [steps(torch, (half * stepsPerEpoch * 4) / 5)] : []),
);
const rate = (ms) => (1000 * batch) / median(ms);
const result = {
  machine: machine(),
  twoWorkers: rate(two.steps),
  oneWorker: rate(one.steps),
  ...(torch && { pytorch: { name: torch.name, rate: rate(theirs), ratio: rate(two.steps) / rate(theirs) } }),
  coordinatorProcessorMs: median(two.coordinator),
  memoryMb: two.memory,
};
say(`\ncluster-cnn3, ${shards} shards of 49; ms per step`);
say(`  two workers   ${spread(two.steps)}, ${rate(two.steps).toFixed(0)} images/s`);
const gain = (median(one.steps) / median(two.steps)).toFixed(2);
say(`  one worker    ${spread(one.steps)}, ${rate(one.steps).toFixed(0)} images/s; two over this ${gain}`);
if (torch) {
  say(`  ${torch.name}, two threads, batch ${batch}   ${spread(theirs)}, ${rate(theirs).toFixed(0)} images/s`);
  say(`  images/s of two workers over PyTorch's: ${result.pytorch.ratio.toFixed(2)}`);
}
say(`processor time per step with two workers, ms: coordinator ${spread(two.coordinator)}`);
say(`  workers ${spread(two.workers)}; one worker ${spread(one.workers)}`);
const { coordinator, worker } = two.memory;
say(`highest resident memory, MB: coordinator with the dataset ${coordinator.toFixed(0)}, worker ${worker.toFixed(0)}`);

const starts = [];
for (let i = 0; i < Number(options.starts); i++) starts.push(await firstStep());
if (starts.length > 0) {
  result.firstStepSeconds = median(starts);
  say(`from npm start to the end of its first step, s: ${spread(starts)}`);
}
if (options.json) console.log(JSON.stringify(result, null, 2));
