import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseSteps } from '../../run/record-format.js';
import { RawWorker } from '../coordinator/raw-worker.js';
import { Command, lockstep, scratchDirectory } from '../e2e/lockstep.js';
import { until } from '../until.js';
import { CoordinatorProcess } from './coordinator-process.js';
import { readDigests } from './run-record.js';
import { SlowCable, Wire } from './slow-cable.js';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

/** Two steps of cnn3, whose parameters are 550 KB. */
const job = [
  ...['--preset', 'cluster-cnn3', '--shards', '2', '--batch-per-shard', '10', '--epochs', '1'],
  ...['--set', 'data.dataset=synthetic', '--set', 'data.limit=8', '--set', 'evaluation.everyEpochs=0'],
];

async function coordinator(name: string, flags: readonly string[]): Promise<CoordinatorProcess> {
  const started = new CoordinatorProcess(flags, join(scratch.path, name));
  onTestFinished(() => started.kill());
  await started.start();
  return started;
}

const logOf = (name: string) => readFileSync(join(scratch.path, name, 'log.jsonl'), 'utf8');
const changes = (log: string, change: string) => log.split(`"change":"${change}"`).length - 1;

describe('over a slow network', () => {
  it('a step takes far longer than the heartbeat limit, and no worker is lost', async () => {
    const bitsPerSecond = 2e6;
    const heartbeatLimitMs = 1_000;
    const alone = await lockstep([
      'train',
      ...job,
      '--workers',
      '1',
      '--no-http',
      '--run',
      join(scratch.path, 'alone'),
    ]);
    expect(alone.code).toBe(0);
    const flags = ['--min-workers', '2', '--heartbeat-limit', String(heartbeatLimitMs / 1000)];
    const slow = await coordinator('slow', [...job, ...flags]);
    const down = new Wire(bitsPerSecond);
    const workers = await Promise.all(
      [0, 1].map(async () => {
        const cable = await SlowCable.open(slow.port, new Wire(bitsPerSecond), down);
        onTestFinished(() => cable.close());
        const worker = new Command(['worker', '--coordinator', `127.0.0.1:${cable.port}`]);
        onTestFinished(() => worker.kill());
        return worker;
      }),
    );
    const ends = await Promise.all([slow.ended, ...workers.map(({ ended }) => ended)]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(readDigests(join(scratch.path, 'slow'))).toEqual(readDigests(join(scratch.path, 'alone')));
    const steps = parseSteps(readFileSync(join(scratch.path, 'slow', 'steps.csv'), 'utf8'));
    expect(Math.min(...steps.map(({ durationMs }) => durationMs))).toBeGreaterThan(4 * heartbeatLimitMs);
    expect(changes(logOf('slow'), 'lost')).toBe(0);
  });
});

describe('512 workers that join at once', () => {
  it('are all admitted, and each is sent its assignment only when it changes', async () => {
    const count = 512;
    const flags = ['--model', 'mlp', '--shards', String(count), '--batch-per-shard', '1', '--set', 'data.limit=205'];
    const { port } = await coordinator('storm', [
      ...[...flags, '--set', 'data.dataset=synthetic', '--set', 'evaluation.everyEpochs=0'],
      // One more than will join, as these workers compute nothing.
      ...['--min-workers', String(count + 1), '--heartbeat-limit', '10'],
    ]);
    const workers = Array.from({ length: count }, (_, i) => new RawWorker(`127.0.0.1:${port}`, `w${i}`));
    for (const worker of workers) {
      worker.onReceived = (message) => message.message === 'welcome' && worker.ready();
      worker.hello();
    }
    const beat = () => workers.forEach((worker) => worker.send({ heartbeat: { phase: 'idle', residentBytes: 1 } }));
    const beats = setInterval(beat, 1_000);
    onTestFinished(() => clearInterval(beats));
    await until(() => changes(logOf('storm'), 'ready') === count, 90_000, `${count} ready workers`);
    expect(changes(logOf('storm'), 'joined')).toBe(count);
    expect(changes(logOf('storm'), 'lost')).toBe(0);
    const told = workers.map(({ received }) => received.filter(({ message }) => message === 'assignment').length);
    expect(Math.max(...told)).toBeLessThanOrEqual(2);
  });
});
