import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { StepRecord } from '../../coordinator/records.js';
import { parseSteps, RunDirectory } from '../../coordinator/run-directory.js';
import { within } from '../proto/wire.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'lockstep-run-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});

async function create(path: string): Promise<RunDirectory> {
  const directory = await RunDirectory.create(path);
  onTestFinished(() => directory.close());
  return directory;
}

const record: StepRecord = {
  step: 0,
  epoch: 1,
  samples: 245,
  loss: 2.302585093,
  correct: 24,
  learningRate: 0.05 / 3,
  durationMs: 81.25,
  workers: 2,
};
const header = 'step,epoch,samples,loss,correct,learning_rate,duration_ms,workers\n';

describe('the directory of a new run', () => {
  it('is made with all folders above it, locked, and holds its records when closed', async () => {
    const path = join(base, 'runs', 'a');
    const directory = await RunDirectory.create(path);
    directory.addStep(record);
    directory.addDigest({ epoch: 1, step: 1, digest: 'ab' });
    expect(readdirSync(join(base, 'runs'))).toEqual(['a', 'a.lock']);
    await directory.close();
    expect(readdirSync(join(base, 'runs'))).toEqual(['a']);
    expect(readdirSync(path)).toEqual(['checkpoints', 'digests.jsonl', 'steps.csv']);
    expect(readFileSync(join(path, 'steps.csv'), 'utf8')).toBe(
      `${header}0,1,245,2.30258509,24,0.016666666666666666,81.25,2\n`,
    );
    expect(readFileSync(join(path, 'digests.jsonl'), 'utf8')).toBe('{"epoch":1,"step":1,"digest":"ab"}\n');
  });

  it('may be there already, with files of others', async () => {
    writeFileSync(join(base, 'notes.txt'), 'mine');
    await (await RunDirectory.create(base)).close();
    expect(readFileSync(join(base, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('may be closed twice, and after its records have ended', async () => {
    const directory = await RunDirectory.create(join(base, 'a'));
    await directory.endRecords();
    await directory.close();
    expect(readFileSync(join(base, 'a', 'steps.csv'), 'utf8')).toBe(header);
  });
});

describe('a place that is refused', () => {
  const refusal = (message: RegExp) =>
    expect.objectContaining({ code: 'BAD_RUN_DIRECTORY', message: expect.stringMatching(message) as string }) as Error;

  it('is one that holds a run, whose records stay as they are', async () => {
    const first = await RunDirectory.create(base);
    await first.writeJson('job.json', {});
    first.addStep(record);
    await first.close();
    await expect(RunDirectory.create(base)).rejects.toThrow(
      refusal(/expected a place for a new run, got one that holds a run already; pass another --run DIR$/),
    );
    expect(parseSteps(readFileSync(join(base, 'steps.csv'), 'utf8'))).toHaveLength(1);
  });

  it('may hold what an attempt left that did not get as far as its job', async () => {
    await (await RunDirectory.create(base)).close();
    const second = await RunDirectory.create(base);
    second.addStep(record);
    await second.close();
    expect(parseSteps(readFileSync(join(base, 'steps.csv'), 'utf8'))).toHaveLength(1);
  });

  it('is one that another process is using', async () => {
    const release = await lock(base);
    onTestFinished(() => release());
    await expect(RunDirectory.create(base)).rejects.toThrow(
      refusal(/got one that another process is using; wait for that run, or pass another --run DIR$/),
    );
    expect(readdirSync(base)).not.toContain('steps.csv');
  });

  it.each([
    ['below a regular file', () => join(base, 'file', 'run'), /ENOTDIR/],
    ['a regular file', () => join(base, 'file'), /ENOTDIR|EEXIST/],
  ])('is %s', async (_, place, cause) => {
    writeFileSync(join(base, 'file'), '');
    const error = await RunDirectory.create(place()).catch((thrown: unknown) => thrown as Error);
    expect(error).toEqual(refusal(cause));
    expect((error as Error).message).toContain(`run directory ${place()}: expected a place for a new run, got `);
    expect((error as Error).message).toMatch(/; pass --run DIR with a directory that you may write to$/);
  });
});

describe('writing a file', () => {
  it('replaces it as a whole and leaves nothing beside it', async () => {
    const directory = await create(base);
    await directory.write('model/weights.bin', Uint8Array.of(1, 2, 3));
    await directory.write('model/weights.bin', Uint8Array.of(4));
    expect([...readFileSync(join(base, 'model', 'weights.bin'))]).toEqual([4]);
    expect(readdirSync(join(base, 'model'))).toEqual(['weights.bin']);
    expect(await directory.writeJson('run.json', { a: 1 })).toBe(join(base, 'run.json'));
    expect(readFileSync(join(base, 'run.json'), 'utf8')).toBe('{\n  "a": 1\n}\n');
  });

  it('that fails leaves what was there, nothing half written, and says what to do', async () => {
    const directory = await create(base);
    mkdirSync(join(base, 'model', 'weights.bin', 'in-the-way'), { recursive: true });
    writeFileSync(join(base, 'report'), 'a file where a directory is wanted');
    for (const [name, named] of Object.entries({ 'model/weights.bin': 'weights.bin', 'report/index.html': 'report' })) {
      await expect(directory.write(name, 'content')).rejects.toThrow(
        expect.objectContaining({
          code: 'BAD_RUN_DIRECTORY',
          message: expect.stringContaining(`${named}, got `) as string,
        }),
      );
    }
    expect(readdirSync(join(base, 'model'))).toEqual(['weights.bin']);
    expect(readFileSync(join(base, 'report'), 'utf8')).toBe('a file where a directory is wanted');
  });
});

describe('records that cannot be written', () => {
  it('are told of once, and the directory can still be closed', async () => {
    const path = join(base, 'a');
    const directory = await RunDirectory.create(path);
    // The record files are opened a moment later, and then there is no directory for them.
    rmSync(path, { recursive: true });
    await expect(within(directory.failed, 'an error')).rejects.toThrow(
      expect.objectContaining({
        code: 'BAD_RUN_DIRECTORY',
        message: expect.stringMatching(/expected to write .*steps\.csv, got ENOENT/) as string,
      }),
    );
    directory.addStep(record);
    await directory.close();
    expect(readdirSync(base)).toEqual([]);
  });
});

describe('reading steps.csv', () => {
  it('gives the records as they were added, up to the digits written', async () => {
    const directory = await RunDirectory.create(base);
    const records = [0, 1, 2].map((step) => ({ ...record, step, loss: 1 / 2 ** step, durationMs: 12.5 * step }));
    records.forEach((entry) => directory.addStep(entry));
    await directory.close();
    expect(parseSteps(readFileSync(join(base, 'steps.csv'), 'utf8'))).toEqual(records);
  });

  it.each([
    ['nothing', '', 0],
    ['an incomplete header', 'step,epo', 0],
    ['the header alone', header, 0],
    ['an incomplete first line', `${header}0,1,245,2.3`, 0],
    ['an incomplete last line', `${header}0,1,245,2.3,24,0.05,81.25,2\n1,1,245,2.`, 1],
    ['a last line that lacks its end only', `${header}0,1,245,2.3,24,0.05,81.25,2\n1,1,245,2.2,30,0.05,80.00,2`, 1],
  ])('gives the complete lines of a file with %s', (_, csv, lines) => {
    const steps = parseSteps(csv);
    expect(steps.map(({ step }) => step)).toEqual([0, 1].slice(0, lines));
    if (lines > 0) expect(steps[0]).toEqual({ ...record, loss: 2.3, learningRate: 0.05 });
  });
});
