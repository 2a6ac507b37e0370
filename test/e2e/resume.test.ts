import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSteps } from '../../run/record-format.js';
import { freePort, lockstep, scratchDirectory, smallJob } from './lockstep.js';
import { commandStarter } from './starter.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const start = commandStarter();

/** Four epochs of 21 steps, with a checkpoint every five. */
const job = [...smallJob, '--epochs', '4', '--set', 'checkpoint.everySteps=5', '--set', 'evaluation.everyEpochs=2'];
const stepsOf = (run: string) => parseSteps(readFileSync(join(run, 'steps.csv'), 'utf8'));
const text = (run: string, name: string) => readFileSync(join(run, name), 'utf8');
const recordOf = (run: string) =>
  JSON.parse(text(run, 'run.json')) as { outcome: string; term: number; finalDigest: string; seconds: number };

/** Waits until a run has committed that many steps. */
async function committed(run: string, steps: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!existsSync(join(run, 'steps.csv')) || stepsOf(run).length < steps) {
    if (performance.now() > deadline) throw new Error(`expected ${steps} steps in ${run} within 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The undisturbed run, whose digests all others must match. */
const quiet = join(scratch.path, 'quiet');
beforeAll(async () => {
  const ended = await lockstep(['train', ...job, '--workers', '2', '--run', quiet]);
  expect(ended.code).toBe(0);
});

/** Expectations of a run resumed after a fault: the same digests, and each step once. */
function expectUndisturbed(run: string): void {
  expect(text(run, 'digests.jsonl')).toBe(text(quiet, 'digests.jsonl'));
  expect(stepsOf(run).map(({ step }) => step)).toEqual(stepsOf(quiet).map(({ step }) => step));
  const evaluations = (of: string) =>
    text(of, 'evaluations.jsonl')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { record: object }).record);
  expect(evaluations(run)).toEqual(evaluations(quiet));
  expect(recordOf(run)).toMatchObject({ outcome: 'finished', finalDigest: recordOf(quiet).finalDigest });
}

describe('a coordinator that is restarted on a finished run', () => {
  it('says so and ends well, and refuses another job there', async () => {
    const again = (...args: string[]) =>
      lockstep(['coordinator', ...job, '--run', quiet, '--listen', '127.0.0.1:0', ...args]);
    const before = text(quiet, 'run.json');
    const { code, stdout } = await again();
    expect(stdout).toMatch(/this run is already finished/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(`Final digest: ${recordOf(quiet).finalDigest}`);
    expect(code).toBe(0);
    const other = await again('--seed', '9');
    expect(other.stderr).toContain(
      'got a run that finished after 4 epochs; a finished run cannot be resumed or extended',
    );
    expect(other.code).toBe(1);
    expect(text(quiet, 'run.json')).toBe(before);
  });
});

describe('a run whose coordinator is killed in mid-epoch', () => {
  it('resumes in its directory with a different number of workers, to the same digests', async () => {
    const run = join(scratch.path, 'killed');
    const first = start('train', ...job, '--workers', '2', '--run', run);
    await committed(run, 29);
    await first.kill();
    const ended = await start('train', ...job, '--workers', '1', '--run', run).ended;
    expect(ended.stdout).toMatch(/resumed at step \d*[05] of 84 \(start 2 of this run; newest intact checkpoint/);
    expect(ended.code).toBe(0);
    expect(ended.stdout.trimEnd().split('\n').at(-1)).toBe(`Final digest: ${recordOf(quiet).finalDigest}`);
    expect(recordOf(run).term).toBe(2);
    expectUndisturbed(run);
    expect(text(run, 'report/index.html')).toContain(recordOf(quiet).finalDigest);
  });

  it('resumes with the existing workers, which join again', async () => {
    const run = join(scratch.path, 'rejoined');
    const address = `127.0.0.1:${await freePort()}`;
    const command = ['coordinator', ...job, '--listen', address, '--run', run];
    const first = start(...command);
    const worker = start('worker', '--coordinator', address);
    await committed(run, 29);
    await first.kill();
    const second = start(...command);
    expect((await second.ended).code).toBe(0);
    expect((await worker.ended).code).toBe(0);
    expectUndisturbed(run);
  });

  it('resumes from the previous checkpoint when the newest one is truncated', async () => {
    const run = join(scratch.path, 'damaged');
    const first = start('train', ...job, '--workers', '1', '--run', run);
    await committed(run, 34);
    await first.kill();
    const folder = join(run, 'checkpoints');
    const [before, newest] = readdirSync(folder)
      .filter((name) => name.endsWith('.safetensors'))
      .sort()
      .slice(-2);
    truncateSync(join(folder, newest!), 100_000);
    const ended = await start('train', '--resume', run, '--workers', '2').ended;
    expect(ended.stdout).toContain(`newest intact checkpoint: ${Number(/\d+/.exec(before!)![0])}; ${newest} skipped: `);
    expect(ended.code).toBe(0);
    expectUndisturbed(run);
  });
});

describe('a run that was stopped', () => {
  it('is resumed with other workers and checkpoints, and no step is made twice', async () => {
    const run = join(scratch.path, 'stopped');
    const first = start('train', ...job, '--workers', '2', '--run', run);
    await committed(run, 23);
    first.process.kill('SIGINT');
    expect((await first.ended).code).toBe(130);
    const stopped = stepsOf(run).length;
    expect(recordOf(run).outcome).toBe('stopped');
    const second = start('train', '--resume', run, '--workers', '3', '--set', 'checkpoint.everySteps=0');
    const ended = await second.ended;
    expect(ended.stdout).toContain(`resumed at step ${stopped} of 84 (start 2 of this run`);
    expect(ended.code).toBe(0);
    expectUndisturbed(run);
    const inSteps = stepsOf(run).reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
    expect(recordOf(run).seconds).toBeGreaterThan(inSteps);
  });

  it('keeps the first state, the best one by test accuracy and the last two', () => {
    const evaluations = text(quiet, 'evaluations.jsonl').trim().split('\n');
    const records = evaluations.map(
      (line) => (JSON.parse(line) as { record: { step: number; correct: number } }).record,
    );
    const most = Math.max(...records.map(({ correct }) => correct));
    const best = records.find(({ correct }) => correct === most)!.step;
    const kept = [...new Set([0, best, 80, 84])].sort((a, b) => a - b);
    const names = kept.map((step) => `step-${String(step).padStart(8, '0')}.safetensors`);
    expect(readdirSync(join(quiet, 'checkpoints')).sort()).toEqual(names);
  });
});

describe('rejected', () => {
  it('another job in the directory of a run, with the fields that differ', async () => {
    const run = join(scratch.path, 'other');
    const first = start('train', ...job, '--workers', '1', '--run', run);
    await committed(run, 1);
    await first.kill();
    const { code, stderr } = await lockstep([
      'train',
      '--resume',
      run,
      '--seed',
      '9',
      '--set',
      'optimizer.momentum=0.5',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('seed: 1 in the run, 9 now');
    expect(stderr).toContain('optimizer.momentum: 0.9 in the run, 0.5 now');
  });

  it('a finished run, a missing one, and --resume together with another choice of run', async () => {
    const refusal = async (...args: string[]) => (await lockstep(['train', ...args])).stderr;
    expect(await refusal('--resume', quiet)).toContain(
      'got a run that finished after 4 epochs; a finished run cannot be resumed or extended',
    );
    expect(await refusal('--resume', join(scratch.path, 'nowhere'))).toContain(
      'expected a run directory with job.json',
    );
    expect(await refusal('--resume', quiet, '--run', 'x')).toContain('--resume: expected no other job, got --run x');
  });
});
