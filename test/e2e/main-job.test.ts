import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSteps } from '../../run/record-format.js';
import { until } from '../until.js';
import { childrenOf, type Ended, lockstep, scratchDirectory, smallJob } from './lockstep.js';
import { commandStarter } from './starter.js';

/** Two epochs of 21 steps, with a checkpoint every five. */
const job = [...smallJob, '--epochs', '2', '--set', 'checkpoint.everySteps=5', '--set', 'evaluation.everyEpochs=2'];

const scratch = scratchDirectory();
afterAll(scratch.remove);
const start = commandStarter();

const disturbed = join(scratch.path, 'disturbed');
const undisturbed = join(scratch.path, 'undisturbed');
const text = (run: string, name: string) => readFileSync(join(run, name), 'utf8');
const stepsOf = (run: string) => (existsSync(join(run, 'steps.csv')) ? parseSteps(text(run, 'steps.csv')) : []);
const digestIn = ({ stdout }: Ended) => /Final digest: ([0-9a-f]{64})\n$/.exec(stdout)?.[1];

describe('a training that loses a worker and then its coordinator', () => {
  let resumed: Ended;

  beforeAll(async () => {
    const first = start('train', ...job, '--workers', '2', '--run', disturbed);
    await first.until(/Train Epoch: 1/);
    const [worker] = await childrenOf(first.process.pid!);
    process.kill(worker!, 'SIGKILL');
    await first.until(/worker \S+ lost/);
    const lostAt = stepsOf(disturbed).length;
    await until(() => stepsOf(disturbed).length >= lostAt + 6, 60_000, 'steps after the worker was lost');
    await first.kill();
    resumed = await lockstep(['train', '--resume', disturbed, '--workers', '1']);
  });

  it('resumes after its last checkpoint and finishes', () => {
    expect(resumed.stdout).toMatch(/step \d*[05] of 42 \(start 2 of this run; newest intact checkpoint/);
    expect(resumed.code).toBe(0);
  });

  it('makes every step once, the first ones with two workers', () => {
    const steps = stepsOf(disturbed);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 42 }, (_, step) => step));
    expect(steps[0]!.workers).toBe(2);
    expect(steps.at(-1)!.workers).toBe(1);
  });

  it('has the digests of an undisturbed run with one worker', async () => {
    const quiet = await lockstep(['train', ...job, '--workers', '1', '--run', undisturbed]);
    expect(quiet.code).toBe(0);
    expect(digestIn(quiet)).toBeDefined();
    expect(digestIn(resumed)).toBe(digestIn(quiet));
    expect(text(disturbed, 'digests.jsonl')).toBe(text(undisturbed, 'digests.jsonl'));
  });
});
