// npm run bench:safety: cost of fault tolerance while nothing fails, and the time for which a checkpoint blocks the
// step loop. Runs the built `lockstep` command, the two configurations alternating. Needs CIFAR-10 as bench:cluster
// does.
// Usage: node test/bench/safety.mjs [--rounds N] [--synthetic]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, median, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, synthetic: { type: 'boolean', default: false } },
});
const lockstep = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
const dataset = options.synthetic ? ['--set', 'data.dataset=synthetic'] : [];

/** 80 steps per epoch: digests and checkpoints are more frequent than in a real run. */
const job = [
  ...['--preset', 'cluster-cnn3', '--set', 'data.limit=3920', '--set', 'evaluation.everyEpochs=0'],
  ...['--workers', '2', ...dataset],
];
const configurations = {
  without: [
    '--epochs',
    '1',
    '--set',
    'checkpoint.everySteps=0',
    '--heartbeat-limit',
    '3600',
    '--set',
    'data.limit=10000',
  ],
  with: ['--epochs', '3', '--set', 'checkpoint.everySteps=200', '--heartbeat-limit', '2'],
};

/** Runs the job. @returns the durations of its full steps in ms, and for how long each checkpoint blocked the loop. */
async function train(flags) {
  const directory = join(scratch, Math.random().toString(36).slice(2));
  await run(['train', ...job, ...flags, '--run', directory]);
  const rows = readFileSync(join(directory, 'steps.csv'), 'utf8').trim().split('\n').slice(1);
  const steps = rows.map((row) => row.split(',').map(Number)).map((r) => ({ samples: r[2], ms: r[6] }));
  const full = Math.max(...steps.map(({ samples }) => samples));
  const log = readFileSync(join(directory, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const blocked = log.filter(({ msg }) => msg === 'checkpoint').map(({ blockedMs }) => blockedMs);
  rmSync(directory, { recursive: true, force: true });
  const ms = steps.slice(10).filter(({ samples }) => samples === full);
  return { ms: ms.map((step) => step.ms), blocked };
}

function run(args) {
  const child = spawn(process.execPath, [lockstep, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`lockstep ${args.join(' ')}: exit ${code}`)),
    );
  });
}

console.log(`machine: ${machine()}`);
const ratios = [];
const blocked = [];
const all = { with: [], without: [] };
for (let round = 0; round < Number(options.rounds); round++) {
  const medians = {};
  for (const [name, flags] of Object.entries(configurations)) {
    const result = await train(flags);
    medians[name] = median(result.ms);
    all[name].push(...result.ms);
    if (name === 'with') blocked.push(...result.blocked);
  }
  ratios.push(medians.with / medians.without);
}
console.log('\ncluster-cnn3, two workers, ms per step');
console.log(`  without checkpoints, digests and frequent heartbeats  ${spread(all.without)}`);
console.log(`  with them (checkpoints every 200 steps)               ${spread(all.with)}`);
console.log(`  ratio of medians, round by round                      ${spread(ratios, 3)}  (bar: 1.03)`);
console.log(`\na checkpoint blocks the step loop for, ms               ${spread(blocked)}  (bar: 5)`);
rmSync(scratch, { recursive: true, force: true });
