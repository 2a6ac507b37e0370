import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { childrenOf, freePort, isAlive, lockstep, main, scratchDirectory, smallJob } from './lockstep.js';
import { until } from '../until.js';
import { commandStarter } from './starter.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const start = commandStarter();

const digestIn = (text: string) => /Final digest: ([0-9a-f]{64})/.exec(text)?.[1];

/** Long enough to be disturbed. */
const longJob = [...smallJob, '--epochs', '40', '--set', 'evaluation.everyEpochs=0'];

describe('a cluster started piece by piece', () => {
  it('accepts workers that started first, and reports meanwhile that there are no workers', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const worker = start('worker', '--coordinator', address);
    await worker.until(/no coordinator at .*retrying in/);
    const run = join(scratch.path, 'pieces');
    const coordinator = start('coordinator', ...smallJob, '--listen', address, '--run', run);
    const ended = await coordinator.ended;
    expect(ended.code).toBe(0);
    expect(digestIn(ended.stdout)).toBeDefined();
    expect((await worker.ended).code).toBe(0);
  });

  it('answers status, and accepts a worker that joins while it trains', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const run = join(scratch.path, 'joining');
    const coordinator = start('coordinator', ...longJob, '--listen', address, '--run', run);
    start('worker', '--coordinator', address);
    await coordinator.until(/Train Epoch: 1/);
    start('worker', '--coordinator', address);
    await coordinator.until(/"generation":2/);
    const { stdout } = await lockstep(['status', '--coordinator', address, '--json']);
    const status = JSON.parse(stdout) as { state: string; workers: { shards: number[] }[] };
    expect(status.state).toBe('training');
    expect(status.workers.flatMap(({ shards }) => shards).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(status.workers).toHaveLength(2);
    coordinator.process.kill('SIGINT');
    expect((await coordinator.ended).code).toBe(130);
  });

  it('admits only workers with the token', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const [right, wrong] = ['right.txt', 'wrong.txt'].map((name) => join(scratch.path, name));
    writeFileSync(right!, 'a-secret-of-sixteen-or-more\n');
    writeFileSync(wrong!, 'another-secret-of-sixteen-or-more\n');
    const common = ['--listen', address, '--run', join(scratch.path, 'token'), '--token-file', right!];
    const coordinator = start('coordinator', ...smallJob, ...common);
    await coordinator.until(/listening/);
    const rejected = await start('worker', '--coordinator', address, '--token-file', wrong!).ended;
    expect(rejected.code).toBe(1);
    expect(rejected.stderr).toContain("expected the cluster's token");
    expect((await lockstep(['status', '--coordinator', address])).stderr).toContain("expected the cluster's token");
    start('worker', '--coordinator', address, '--token-file', right!);
    const ended = await coordinator.ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout + ended.stderr + readFileSync(join(scratch.path, 'token', 'log.jsonl'), 'utf8')).not.toContain(
      'secret-of',
    );
  });
});

describe('a local cluster', () => {
  it('continues after a worker is killed, to the same bits', async () => {
    const job = [...smallJob, '--epochs', '4'];
    const quiet = await lockstep(['train', ...job, '--workers', '2', '--run', join(scratch.path, 'quiet')]);
    const train = start('train', ...job, '--workers', '2', '--run', join(scratch.path, 'killed'));
    await train.until(/Train Epoch: 1/);
    const [victim] = await childrenOf(train.process.pid!);
    process.kill(victim!, 'SIGKILL');
    const ended = await train.ended;
    expect(ended.stdout).toMatch(/worker \S+ lost/);
    expect(ended.code).toBe(0);
    expect(digestIn(ended.stdout)).toBe(digestIn(quiet.stdout));
    expect(digestIn(quiet.stdout)).toBeDefined();
  });

  it('readmits a worker that was silent for longer than the limit, to the same bits', async () => {
    const job = ['train', ...longJob, '--epochs', '14'];
    const train = start(...job, '--workers', '2', '--heartbeat-limit', '0.6', '--run', join(scratch.path, 'silent'));
    await train.until(/Train Epoch: 1/);
    const [victim] = await childrenOf(train.process.pid!);
    process.kill(victim!, 'SIGSTOP');
    await train.until(/worker \S+ lost/);
    process.kill(victim!, 'SIGCONT');
    const log = join(scratch.path, 'silent', 'log.jsonl');
    const joined = () => readFileSync(log, 'utf8').match(/joined .* for job/g)?.length ?? 0;
    await until(() => joined() === 3, 20_000, 'the worker to join again');
    const ended = await train.ended;
    expect(ended.code).toBe(0);
    const quiet = await lockstep([...job, '--workers', '1', '--run', join(scratch.path, 'never-silent')]);
    expect(digestIn(ended.stdout)).toBe(digestIn(quiet.stdout));
    expect(digestIn(quiet.stdout)).toBeDefined();
  });

  it('stops on Ctrl-C with a readable run directory and no process left behind', async () => {
    const run = join(scratch.path, 'stopped');
    const train = start('train', ...longJob, '--workers', '2', '--run', run);
    await train.until(/Train Epoch: 2/);
    const workers = await childrenOf(train.process.pid!);
    train.process.kill('SIGINT');
    const ended = await train.ended;
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain('stopping after this step');
    expect(workers.filter(isAlive)).toEqual([]);
    const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as { outcome: string; steps: number };
    expect(record.outcome).toBe('stopped');
    expect(record.steps).toBeGreaterThan(20);
    expect(existsSync(join(run, 'report', 'index.html'))).toBe(true);
  });

  it('ends its workers when it is killed itself', async () => {
    const train = start('train', ...longJob, '--workers', '2', '--run', join(scratch.path, 'orphans'));
    await train.until(/Train Epoch: 1/);
    const workers = await childrenOf(train.process.pid!);
    expect(workers).toHaveLength(2);
    await train.kill();
    const deadline = performance.now() + 10_000;
    while (workers.some(isAlive) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(workers.filter(isAlive)).toEqual([]);
  });

  it('ends a worker whose parent exits before it has loaded', async () => {
    const program = `const worker = require('node:child_process').fork(process.argv[1], process.argv.slice(2),
      { stdio: 'ignore' }); console.log(worker.pid); setTimeout(() => process.exit(0), 20)`;
    const worker = [main, 'worker', '--coordinator', `127.0.0.1:${await freePort()}`];
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', program, ...worker], { timeout: 10_000 });
    await until(() => !isAlive(Number(stdout)), 10_000, 'the worker to end');
  });
});
