import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep, scratchDirectory, smallJob } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const job = [...smallJob, '--epochs', '3', '--set', 'evaluation.everyEpochs=0'];
const first = join(scratch.path, 'first');
const second = join(scratch.path, 'second');

beforeAll(async () => {
  for (const [run, ...flags] of [
    [first, '--workers', '1'],
    [second, '--workers', '2', '--name', 'another-name', '--set', 'checkpoint.everySteps=7'],
  ]) {
    expect((await lockstep(['train', ...job, ...flags, '--run', run!])).code).toBe(0);
  }
});

/** A copy of the first run with one epoch's digest changed. */
function damaged(name: string, epoch: number): string {
  const run = join(scratch.path, name);
  cpSync(first, run, { recursive: true });
  const path = join(run, 'digests.jsonl');
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const entry = JSON.parse(lines[epoch - 1]!) as { digest: string };
  lines[epoch - 1] = JSON.stringify({ ...entry, digest: entry.digest.replace(/^./, (c) => (c === '0' ? '1' : '0')) });
  writeFileSync(path, `${lines.join('\n')}\n`);
  return run;
}

describe('verify', () => {
  it('finds two runs equal that differ in workers, name and checkpoints', async () => {
    const { code, stdout } = await lockstep(['verify', first, second]);
    expect(stdout).toMatch(/^equal: epochs 1 to 3, digest [0-9a-f]{64}\n$/);
    expect(code).toBe(0);
  });

  it('names the first epoch that differs', async () => {
    const { code, stdout } = await lockstep(['verify', first, damaged('differs', 2)]);
    expect(stdout).toMatch(/^different from epoch 2 on\n/);
    expect(code).toBe(1);
  });

  it('trains a run again from the checkpoint before, and finds it equal', async () => {
    const { code, stdout } = await lockstep(['verify', first, '--replay', '--epochs', '3', '--workers', '2']);
    expect(stdout).toMatch(/epoch 3: equal, [0-9a-f]{64}\n$/);
    expect(code).toBe(0);
  });

  it('stops at the first epoch that a replay does not reproduce', async () => {
    const { code, stdout } = await lockstep(['verify', damaged('wrong', 1), '--replay', '--workers', '1']);
    expect(stdout).toMatch(/epoch 1: different, [0-9a-f]{64} in the run, [0-9a-f]{64} now\n/);
    expect(stdout).not.toContain('epoch 2');
    expect(code).toBe(1);
  });

  it('leaves the run as it was', () => {
    expect(JSON.parse(readFileSync(join(first, 'run.json'), 'utf8'))).toMatchObject({ outcome: 'finished', term: 1 });
  });

  it.each([
    ['neither a second run nor --replay', [], 2, 'expected either a second run or --replay'],
    ['epochs that the run has not got', ['--replay', '--epochs', '3..4'], 2, 'expected a..b within 1..3, got 3..4'],
    ['a folder that holds no run', [join(first, 'model')], 1, 'expected the directory of a run'],
  ])('refuses %s', async (_, args, exitCode, message) => {
    const { code, stderr } = await lockstep(['verify', first, ...args]);
    expect(stderr).toContain(message);
    expect(code).toBe(exitCode);
  });
});
