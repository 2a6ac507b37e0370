// npm run bench:tls: what mutual TLS costs on loopback: time per step and processor time of all processes, with TLS and
// without. Each is a fresh run of the built `lockstep` command with two workers; a round has one of each, in turn.
// Usage: node test/bench/tls.mjs [--rounds N] [--batch N] (Linux; the stand-in's data, as the data does not matter here)
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, median, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, batch: { type: 'string', default: '10' } },
});
const lockstep = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
const batch = Number(options.batch);
const steps = 300;
const job = [
  ...['--preset', 'cluster-cnn3', '--epochs', '1', '--workers', '2', '--no-http', '--batch-per-shard', String(batch)],
  ...['--set', 'data.dataset=synthetic', '--set', `data.limit=${steps * batch}`],
  ...['--set', 'evaluation.everyEpochs=0'],
];
const file = (name) => join(scratch, name);
const tls = [
  ...['--tls-cert', file('coordinator.crt'), '--tls-key', file('coordinator.key')],
  ...['--tls-ca', file('ca.crt')],
];

/** Processor time of all children that have ended, theirs included, in ms; Linux counts it in ticks of 10 ms. */
function childrenMs() {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function run(args) {
  const child = spawn(process.execPath, [lockstep, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${args[0]} ended with exit code ${code}`))));
  });
}

/** Trains once. @returns durations of its steps without the first ones, and processor time per step, in ms. */
async function train(flags) {
  const directory = file('run');
  const before = childrenMs();
  await run(['train', ...job, '--run', directory, ...flags]);
  const cpu = (childrenMs() - before) / steps;
  const rows = readFileSync(join(directory, 'steps.csv'), 'utf8').trim().split('\n').slice(11);
  rmSync(directory, { recursive: true });
  return { ms: rows.map((row) => Number(row.split(',')[6])), cpu };
}

console.log(machine());
await run(['certs', '--out', scratch, '--host', 'localhost']);
const found = { plain: { ms: [], cpu: [] }, tls: { ms: [], cpu: [] } };
for (let round = 0; round < Number(options.rounds); round++) {
  const both = Object.entries({ plain: [], tls });
  for (const [name, flags] of round % 2 === 0 ? both : both.reverse()) {
    const { ms, cpu } = await train(flags);
    found[name].ms.push(median(ms));
    found[name].cpu.push(cpu);
  }
}
rmSync(scratch, { recursive: true });
for (const [what, key] of Object.entries({ 'ms per step': 'ms', 'processor ms per step': 'cpu' })) {
  const { plain, tls: secure } = found;
  const more = secure[key].map((value, i) => value - plain[key][i]);
  console.log(`${what}: plain ${spread(plain[key])}, TLS ${spread(secure[key])}, difference ${spread(more)}`);
}
