// npm run bench:observe: cost of observing a run: time per step with page, metrics, NATS, timeline and log, relative to
// a run without any. Each configuration is a fresh run of the built `lockstep` command; a round has one of each, in
// turn. The page is read as a browser does, the metrics every second. Anything this build or machine lacks is reported
// and skipped. Needs CIFAR-10 as bench:cluster does.
// Usage: node test/bench/observe.mjs [--rounds N] [--epochs N] [--only NAME,NAME] [--synthetic]
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, median, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    epochs: { type: 'string', default: '3' },
    only: { type: 'string' },
    synthetic: { type: 'boolean', default: false },
  },
});
const lockstep = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
const epochs = Number(options.epochs);
const stepsPerEpoch = 80;
const job = [
  ...['train', '--preset', 'cluster-cnn3', '--workers', '2', '--epochs', String(epochs)],
  ...['--set', 'data.limit=3920', '--set', 'evaluation.everyEpochs=0'],
  ...(options.synthetic ? ['--set', 'data.dataset=synthetic'] : []),
];

const help = spawnSync(process.execPath, [lockstep, 'train', '--help'], { encoding: 'utf8' }).stdout;
const has = (flag) => help.includes(flag);
const natsServer = spawnSync('nats-server', ['--version']).status === 0;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Flags of each observer, and what runs alongside; `close` stops that. */
const observers = {
  http:
    has('--http') &&
    (async () => {
      const port = await freePort();
      return { flags: ['--http', `127.0.0.1:${port}`], close: lookOn(`http://127.0.0.1:${port}`) };
    }),
  nats:
    has('--nats') &&
    natsServer &&
    (async () => {
      const port = await freePort();
      const store = mkdtempSync(join(scratch, 'nats-'));
      const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', store], {
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => server.on('exit', resolve));
      const close = async () => {
        server.kill();
        await ended;
      };
      return { flags: ['--nats', `nats://127.0.0.1:${port}`], close };
    }),
  trace: has('--trace') && (async () => ({ flags: ['--trace'], close: async () => undefined })),
  tensorboard: has('--tensorboard') && (async () => ({ flags: ['--tensorboard'], close: async () => undefined })),
  log: async () => ({ flags: ['--log-level', 'info'], close: async () => undefined }),
};
const off = has('--no-http') ? ['--no-http'] : [];

/** Reads the page's events as they come and the metrics every second, once the server is up. */
function lookOn(address) {
  const stop = new AbortController();
  const { signal } = stop;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const read = async (path) => {
    const { body } = await fetch(address + path, { signal });
    for await (const _ of body) void _;
  };
  const repeat = async (path) => {
    while (!signal.aborted) {
      await read(path).catch(() => undefined);
      await pause(1000);
    }
  };
  const all = Promise.all([repeat('/api/events'), repeat('/metrics')]);
  return async () => {
    stop.abort();
    await all;
  };
}

/** @returns wall time per step in ms, from the end of the first epoch to that of the last. */
async function train(names) {
  const directory = join(scratch, Math.random().toString(36).slice(2));
  const on = await Promise.all(names.map((name) => observers[name]()));
  const flags = [...(names.includes('http') ? [] : off), ...on.flatMap((observer) => observer.flags)];
  try {
    await run([...job, ...flags, '--run', directory]);
  } finally {
    for (const { close } of on) await close();
  }
  const log = readFileSync(join(directory, 'log.jsonl'), 'utf8').trim().split('\n');
  const ends = log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'epoch');
  rmSync(directory, { recursive: true, force: true });
  return (ends.at(-1).time - ends[0].time) / ((epochs - 1) * stepsPerEpoch);
}

function run(args) {
  const child = spawn(process.execPath, [lockstep, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => (said = (said + data).slice(-2000)));
  return new Promise((resolve, reject) => {
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`lockstep ${args.join(' ')}: exit ${code}\n${said}`)),
    );
  });
}

const there = Object.keys(observers).filter((name) => observers[name]);
const missing = Object.keys(observers).filter((name) => !observers[name]);
const wanted = options.only?.split(',');
// Observers that stay on all the time; timeline and TensorBoard are for occasional use.
const usual = there.filter((name) => ['http', 'nats', 'log'].includes(name));
const each = Object.fromEntries(there.map((name) => [name, [name]]));
const configurations = { off: [], ...each, usual, all: there };
const names = Object.keys(configurations).filter((name) => name === 'off' || !wanted || wanted.includes(name));

console.log(`machine: ${machine()}`);
if (missing.length > 0) console.log(`not in this build or on this machine, so left out: ${missing.join(', ')}`);
const ms = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < Number(options.rounds); round++) {
  // Every other round in reverse, so that a drift of the machine favours nobody.
  const order = round % 2 === 0 ? names : [...names].reverse();
  for (const name of order) ms[name].push(await train(configurations[name]));
}
console.log(`\ncluster-cnn3, two workers, wall time per step in ms (${(epochs - 1) * stepsPerEpoch} steps each)`);
for (const name of names) console.log(`  ${name.padEnd(12)} ${spread(ms[name])}`);
console.log('\nover all off, round by round (bar for page, metrics, NATS and log together, `usual`: 1.03)');
for (const name of names.slice(1)) {
  const ratios = ms[name].map((value, round) => value / ms.off[round]);
  console.log(
    `  ${name.padEnd(12)} ${spread(ratios, 3)}   of medians: ${(median(ms[name]) / median(ms.off)).toFixed(3)}`,
  );
}
rmSync(scratch, { recursive: true, force: true });
