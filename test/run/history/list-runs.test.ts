import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync, readdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { differingFields } from '../../../run/history/differing-fields.js';
import { listRuns } from '../../../run/history/list-runs.js';
import { describeBits } from '../../../run/report/compare-page.js';
import { lockRun } from '../../../run/lock/run-lock.js';
import { formatLine, formatStep, stepsHeader } from '../../../run/record-format.js';
import { smallManifest } from '../../coordinator/manifest.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-runs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const step = { epoch: 1, samples: 4, loss: 2, correct: 1, learningRate: 0.5, durationMs: 500, workers: 1 };
const record = { step: 2, epoch: 1, loss: 1.25, correct: 1, total: 4, confusion: [] };

/** A run with three of its four steps. @param minute - when its files were changed. */
function writeRun(name: string, minute: number, runJson: object, files: Readonly<Record<string, string>> = {}): string {
  const path = join(folder, name);
  mkdirSync(path);
  const content = {
    'job.json': JSON.stringify(smallManifest(3)),
    'run.json': JSON.stringify(runJson),
    'steps.csv': stepsHeader + [0, 1, 2].map((i) => formatStep({ ...step, step: i })).join(''),
    'digests.jsonl': formatLine({ epoch: 1, step: 2, digest: 'ab'.repeat(32) }),
    'evaluations.jsonl': formatLine({ record, testRows: [], durationMs: 1_000 }),
    ...files,
  };
  for (const [file, text] of Object.entries(content)) {
    writeFileSync(join(path, file), text);
    utimesSync(join(path, file), 60 * minute, 60 * minute);
  }
  return path;
}

describe('the runs of a folder', () => {
  it('are listed newest first, with what is known of each', async () => {
    writeRun('old', 1, { outcome: 'finished', steps: 4, seconds: 9, finalDigest: 'cd'.repeat(32) });
    writeRun('cut', 3, { outcome: 'running' });
    writeRun('broken', 4, { outcome: 'failed', failure: 'no GPU' });
    writeRun('halted', 2, { outcome: 'stopped', steps: 3, seconds: 2, finalDigest: 'ef'.repeat(32) });
    mkdirSync(join(folder, 'something else'));
    const runs = await listRuns(folder, Date.now());
    expect(runs.map(({ name, state, steps, seconds }) => [name, state, steps, seconds])).toEqual([
      ['broken', 'failed', 3, 2.5],
      ['cut', 'interrupted', 3, 2.5],
      ['halted', 'stopped', 3, 2],
      ['old', 'finished', 4, 9],
    ]);
    expect(runs[0]!.problem).toBe('no GPU');
    expect(runs[3]).toEqual({
      name: 'old',
      path: join(folder, 'old'),
      state: 'finished',
      problem: null,
      model: 'cnn3',
      dataset: 'none',
      steps: 4,
      totalSteps: 4,
      epochsDone: 1,
      epochs: 2,
      accuracy: 0.25,
      testLoss: 1.25,
      digest: 'cd'.repeat(32),
      seconds: 9,
      when: '1970-01-01T00:01:00.000Z',
    });
  });

  it('are running while a coordinator holds their directory, and interrupted when it has exited', async () => {
    const path = writeRun('now', 1, { outcome: 'running' });
    const stateOf = async () => (await listRuns(folder, Date.now()))[0]!.state;
    // Another process's name, as this process's own would count as its predecessor's in a container.
    const lock = await lockRun(
      path,
      () => undefined,
      () => undefined,
    );
    renameSync(join(path, '.lock', readdirSync(join(path, '.lock'))[0]!), join(path, '.lock', 'elsewhere_1_ab'));
    expect(await stateOf()).toBe('running');
    expect((await listRuns(folder, Date.now() + 60_000))[0]!.state).toBe('interrupted');
    rmSync(join(path, '.lock'), { recursive: true });
    expect(await stateOf()).toBe('interrupted');
    await lock.release();
  });

  it.each([
    ['job.json', '{', /^job\.json: read job manifest: expected a manifest of this version, got: \S.* JSON/],
    ['job.json', '{}', /^job\.json: ✖ Invalid input: .*digest/],
    ['run.json', '{"outcome":"odd"}', /^run\.json: ✖ Invalid option: .*"finished".* at outcome/],
    ['digests.jsonl', 'x\n', /^digests\.jsonl: Unexpected token .*JSON/],
  ])('are damaged when %s cannot be read, and the others are listed', async (file, text, problem) => {
    writeRun('good', 1, { outcome: 'running' });
    writeRun('bad', 2, { outcome: 'running' }, { [file]: text });
    const [bad, good] = await listRuns(folder, Date.now());
    expect(bad).toMatchObject({ name: 'bad', state: 'damaged', problem: expect.stringMatching(problem) as string });
    expect(good).toMatchObject({ name: 'good', state: 'interrupted' });
  });
});

describe('differing fields', () => {
  it('are named with the value of each, including those that one of them lacks', () => {
    const trees = [
      { name: 'a', optimizer: { type: 'sgd', momentum: 0.9 }, shards: 5 },
      { name: 'a', optimizer: { type: 'adam' }, shards: 5 },
    ];
    expect(differingFields(trees)).toEqual([
      { path: 'optimizer.type', values: ['sgd', 'adam'] },
      { path: 'optimizer.momentum', values: [0.9, undefined] },
    ]);
    expect(differingFields([trees[0], trees[0]])).toEqual([]);
  });
});

describe('the bits of two runs', () => {
  const manifest = smallManifest(3);
  const run = (...digests: string[]) => ({
    manifest,
    digests: digests.map((digest, i) => ({ epoch: i + 1, step: 2 * i + 2, digest })),
  });
  it.each([
    [run('a', 'b'), 'equal, epochs 1 to 2'],
    [run('a'), 'equal, epochs 1 to 1'],
    [run('a', 'x'), 'different from epoch 2 on'],
    [run(), 'no epoch in common'],
    [{ ...run('a'), manifest: { ...manifest, digest: 'f'.repeat(64) } }, 'another job'],
  ])('are described: %#', (other, text) => {
    expect(describeBits(run('a', 'b'), other)).toBe(text);
  });
});
