import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { channelOptions, Cluster } from '../../../transport/services.js';
import { RawWorker } from '../../coordinator/raw-worker.js';
import { freePort, main, scratchDirectory } from '../../e2e/lockstep.js';
import { until } from '../../until.js';
import { machine } from '../stats.mjs';

/**
 * Workers that join a coordinator all at once: npm run bench:joins -- [--workers N] [--rounds N]
 *
 * The workers are streams of this process, so that there can be hundreds, and compute nothing. Prints the time until
 * all are ready, the number of lost ones, and the longest turn of the coordinator's event loop: in wall-clock time, and
 * in processor time of its thread, which other processes don't affect.
 */
const hook = fileURLToPath(new URL('event-loop.mjs', import.meta.url));

async function measure(count: number): Promise<string> {
  const scratch = scratchDirectory();
  const [port, run, loop] = [await freePort(), join(scratch.path, 'run'), join(scratch.path, 'loop.jsonl')];
  const job = [
    '--model',
    'mlp',
    '--shards',
    String(count),
    '--batch-per-shard',
    '1',
    '--set',
    'data.dataset=synthetic',
  ];
  const flags = ['--min-workers', String(count + 1), '--listen', `127.0.0.1:${port}`, '--log-level', 'silent'];
  const limit = ['--set', 'data.limit=205', '--heartbeat-limit', '2', '--run', run];
  const coordinator = spawn(process.execPath, ['--import', hook, main, 'coordinator', ...job, ...flags, ...limit], {
    env: { ...process.env, LOOP_FILE: loop },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(coordinator.stdout, 'data');
  const log = () => readFileSync(join(run, 'log.jsonl'), 'utf8');
  const changes = (change: string) => log().split(`"change":"${change}"`).length - 1;
  const beginMs = performance.now();
  const clients = Array.from({ length: count }, () => newClient(`127.0.0.1:${port}`));
  const workers = clients.map((client, i) => new RawWorker(`127.0.0.1:${port}`, `w${i}`, client));
  for (const worker of workers) {
    worker.onReceived = (message) => message.message === 'welcome' && worker.ready();
    worker.hello();
  }
  const beat = () => workers.forEach((worker) => worker.send({ heartbeat: { phase: 'idle', residentBytes: 1 } }));
  const beats = setInterval(beat, 500);
  await until(() => changes('ready') >= count, 300_000, `${count} ready workers`);
  const seconds = (performance.now() - beginMs) / 1_000;
  await until(() => readFileSync(loop, 'utf8').trim().split('\n').length > seconds + 1, 60_000, 'the last figures');
  clearInterval(beats);
  const rows = readFileSync(loop, 'utf8').trim().split('\n');
  const figures = rows.map((line) => JSON.parse(line) as { delayMs: number; cpuMs: number });
  const most = (of: 'delayMs' | 'cpuMs') => Math.round(Math.max(...figures.map((row) => row[of])));
  const lost = changes('lost');
  coordinator.kill('SIGKILL');
  clients.forEach((client) => client.close());
  scratch.remove();
  return `| ${count} | ${seconds.toFixed(1)} | ${lost} | ${most('delayMs')} | ${most('cpuMs')} |`;
}

function newClient(address: string) {
  return new Cluster(address, credentials.createInsecure(), { ...channelOptions, 'grpc.use_local_subchannel_pool': 1 });
}

const { values } = parseArgs({
  options: { workers: { type: 'string', default: '512' }, rounds: { type: 'string', default: '3' } },
});
console.log(`${machine()}; mlp, heartbeat limit 2 s\n`);
console.log('| Workers | all ready after (s) | lost | longest hold-up (ms) | of it processor time (ms) |');
console.log('| --: | --: | --: | --: | --: |');
for (let round = 0; round < Number(values.rounds); round++) console.log(await measure(Number(values.workers)));
process.exit();
