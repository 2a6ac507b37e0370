import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { StepRecord } from '../../run/records.js';
import { checkArithmetic, checkSameJob, readPreviousRun } from '../../run/previous-run.js';
import { RunDirectory } from '../../run/run-directory.js';
import { formatStep, parseSteps, stepsHeader } from '../../run/record-format.js';
import { within } from '../proto/wire.js';
import { smallManifest } from '../coordinator/manifest.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'lockstep-run-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});

async function opened(path: string): Promise<RunDirectory> {
  const directory = await RunDirectory.open(path);
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

describe('the directory of a new run', () => {
  it.skipIf(process.platform === 'win32')(
    'is written through no link in the place of a new file (needs symbolic links)',
    async () => {
      const directory = await opened(join(base, 'a'));
      const precious = join(base, 'precious');
      writeFileSync(precious, 'mine');
      symlinkSync(precious, join(base, 'a', `run.json.${process.pid}.part`));
      await expect(directory.write('run.json', '{}')).rejects.toThrow('ELOOP');
      expect(readFileSync(precious, 'utf8')).toBe('mine');
    },
  );

  it('is made with all folders above it, and holds its records when closed', async () => {
    const path = join(base, 'runs', 'a');
    const directory = await RunDirectory.open(path);
    await directory.beginRecords(0);
    directory.addStep(record);
    directory.addDigest({ epoch: 1, step: 1, digest: 'ab' });
    await directory.close();
    expect(readdirSync(path)).toEqual(['checkpoints', 'digests.jsonl', 'evaluations.jsonl', 'steps.csv']);
    expect(readFileSync(join(path, 'steps.csv'), 'utf8')).toBe(
      `${stepsHeader}0,1,245,2.30258509,24,0.016666666666666666,81.25,2\n`,
    );
    expect(readFileSync(join(path, 'digests.jsonl'), 'utf8')).toBe('{"epoch":1,"step":1,"digest":"ab"}\n');
  });

  it('may be there already, with files of others', async () => {
    writeFileSync(join(base, 'notes.txt'), 'mine');
    await (await RunDirectory.open(base)).close();
    expect(readFileSync(join(base, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('may be closed twice, and after its records have ended', async () => {
    const directory = await opened(join(base, 'a'));
    await directory.beginRecords(0);
    await directory.endRecords();
    await directory.close();
    expect(readFileSync(join(base, 'a', 'steps.csv'), 'utf8')).toBe(stepsHeader);
  });

  it('may hold the remains of an attempt that ended before its job was written', async () => {
    const first = await RunDirectory.open(base);
    await first.beginRecords(0);
    first.addStep(record);
    await first.close();
    const second = await opened(base);
    expect(await readPreviousRun(second)).toBeUndefined();
    await second.beginRecords(0);
    await second.endRecords();
    expect(readFileSync(join(base, 'steps.csv'), 'utf8')).toBe(stepsHeader);
  });
});

/** Mounts an in-memory file system with room for `files` files and folders; undefined if that isn't permitted. */
function smallDisk(files: number): string | undefined {
  const path = join(base, 'disk');
  mkdirSync(path);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `nr_inodes=${files}`, 'tmpfs', path]);
  if (status !== 0) return undefined;
  onTestFinished(() => void spawnSync('umount', [path]));
  return path;
}

describe('on a full disk', () => {
  it.each([
    ['the folder', 1, ''],
    ['a folder in it', 2, ''],
    ['its lock', 3, '/.lock'],
    ["the lock's file", 4, '/.lock'],
  ])('there is no room for %s: the message says so and gives advice', async (_, files, written) => {
    const disk = smallDisk(files);
    // Mounting needs a privilege that not every user has.
    if (disk === undefined) return;
    const path = join(disk, 'run');
    const error = await RunDirectory.open(path).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'BAD_RUN_DIRECTORY' });
    const { message } = error as Error;
    expect(message).toMatch(/^run directory: expected to write \S+, got ENOSPC: .*; make room on that disk/);
    expect(message).toContain(`expected to write ${path}${written}, got`);
  });
});

describe('the directory of an interrupted run', () => {
  it('has its records truncated and continued, and the remains of a killed writer removed', async () => {
    const first = await RunDirectory.open(base);
    await first.beginRecords(0);
    for (const step of [0, 1, 2]) first.addStep({ ...record, step });
    await first.close();
    writeFileSync(join(base, 'steps.csv'), '3,1,2', { flag: 'a' });
    writeFileSync(join(base, 'checkpoints', 'step-00000002.safetensors'), 'whole');
    writeFileSync(join(base, 'checkpoints', 'step-00000004.safetensors.17.part'), 'half');
    const second = await opened(base);
    expect(await second.listCheckpoints()).toEqual(['step-00000002.safetensors']);
    expect(readdirSync(join(base, 'checkpoints'))).toEqual(['step-00000002.safetensors']);
    const { steps } = await second.beginRecords(2);
    expect(steps.dropped.map(({ step }) => step)).toEqual([2]);
    second.addStep({ ...record, step: 2, workers: 5 });
    await second.flushRecords();
    const csv = readFileSync(join(base, 'steps.csv'), 'utf8');
    expect(parseSteps(csv).map(({ step, workers }) => [step, workers])).toEqual([
      [0, 2],
      [1, 2],
      [2, 5],
    ]);
    expect(csv.startsWith(stepsHeader + formatStep(record))).toBe(true);
  });

  it.each([['that cannot be read', { 'job.json': '{}' }, /got a run that cannot be read/]])(
    'is refused when it holds a run %s, and stays as it is',
    async (_, files, message) => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(base, name), text);
      const directory = await opened(base);
      await expect(readPreviousRun(directory)).rejects.toThrow(refusal(message));
      for (const [name, text] of Object.entries(files)) expect(readFileSync(join(base, name), 'utf8')).toBe(text);
      expect(readdirSync(base)).not.toContain('steps.csv');
    },
  );

  it('is refused when the run is finished', async () => {
    writeFileSync(join(base, 'job.json'), JSON.stringify(smallManifest(3)));
    writeFileSync(join(base, 'run.json'), '{"outcome":"finished","term":3}');
    await expect(readPreviousRun(await opened(base))).rejects.toThrow(
      refusal(
        /got a run that finished after 2 epochs; a finished run cannot be resumed or extended: .* start a new run/,
      ),
    );
  });

  it('counts its starts', async () => {
    writeFileSync(join(base, 'job.json'), JSON.stringify(smallManifest(3)));
    writeFileSync(join(base, 'run.json'), '{"outcome":"stopped","term":3,"seconds":17}');
    expect(await readPreviousRun(await opened(base))).toMatchObject({
      manifest: smallManifest(3),
      record: { outcome: 'stopped', term: 3, repeated: { steps: 0, seconds: 0 } },
    });
  });
});

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'BAD_RUN_DIRECTORY', message: expect.stringMatching(message) as string }) as Error;

describe('a place that cannot be written', () => {
  it.each([
    ['below a regular file', () => join(base, 'file', 'run'), /ENOTDIR/],
    ['a regular file', () => join(base, 'file'), /ENOTDIR|EEXIST/],
  ])('is %s', async (_, place, cause) => {
    writeFileSync(join(base, 'file'), '');
    const error = await RunDirectory.open(place()).catch((thrown: unknown) => thrown as Error);
    expect(error).toEqual(refusal(cause));
    expect((error as Error).message).toContain(`run directory ${place()}: expected a writable directory, got `);
    expect((error as Error).message).toMatch(/; pass --run DIR with a directory that you may write to$/);
  });
});

describe('the job of a run', () => {
  const withSpec = (change: object, digest: string) => {
    const manifest = smallManifest(3);
    return { ...manifest, digest, spec: { ...manifest.spec, ...change } };
  };

  it('is that of the same digest', () => {
    expect(() => checkSameJob(base, withSpec({}, 'a'), withSpec({ minWorkers: 2 }, 'a'))).not.toThrow();
  });

  it('is refused with every field that differs and both values', () => {
    const [before, job] = [withSpec({}, 'a'), withSpec({ seed: 2, epochs: 3 }, 'b')];
    expect(() => checkSameJob(base, before, { ...job, dataset: { ...job.dataset, digest: 'f'.repeat(64) } })).toThrow(
      refusal(
        /got a different one:\n {2}seed: 1 in the run, 2 now\n {2}epochs: 2 in the run, 3 now\n {2}dataset: none 2{12} in the run, none f{12} now\nresume with/,
      ),
    );
  });
});

describe('the arithmetic of a run', () => {
  const { engine: native } = smallManifest(3).spec;
  const cuda = { ...native, name: 'onnx', device: 'cuda' } as const;
  const check = (arithmetic: number | null, engine: typeof native) => () =>
    checkArithmetic(base, { ...smallManifest(3), arithmetic }, engine);

  it.each([
    ['that of the engine', 1, native],
    ['that of a library, which the engine of the job must have, too', null, native],
    ['not that of a library', 1, cuda],
  ])('may be %s', (_, arithmetic, engine) => {
    expect(check(arithmetic, engine)).not.toThrow();
  });

  it.each([
    [0, 'got one of arithmetic 0 (Lockstep 0.5 and earlier), which', 'use Lockstep 0.5.6 for it, or start a new run'],
    [2, 'got one of arithmetic 2, which', 'use the Lockstep version that started it, or start a new run'],
  ])('is refused if it is %i, with the version to use', (arithmetic, found, advice) => {
    expect(check(arithmetic, native)).toThrow(found);
    expect(check(arithmetic, native)).toThrow(advice);
  });
});

describe('writing a file', () => {
  it('replaces it as a whole and leaves nothing next to it', async () => {
    const directory = await opened(base);
    await directory.write('model/weights.bin', Uint8Array.of(1, 2, 3));
    await directory.write('model/weights.bin', Uint8Array.of(4));
    expect([...readFileSync(join(base, 'model', 'weights.bin'))]).toEqual([4]);
    expect(readdirSync(join(base, 'model'))).toEqual(['weights.bin']);
    expect(await directory.writeJson('run.json', { a: 1 })).toBe(join(base, 'run.json'));
    expect(readFileSync(join(base, 'run.json'), 'utf8')).toBe('{\n  "a": 1\n}\n');
  });

  it('that fails keeps the previous file, leaves nothing half written, and gives advice', async () => {
    const directory = await opened(base);
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
  it('are reported once, and the directory can still be closed', async () => {
    const path = join(base, 'a');
    const directory = await RunDirectory.open(path);
    await directory.beginRecords(0);
    // The record files are opened shortly afterwards, and then their directory doesn't exist.
    rmSync(path, { recursive: true });
    await expect(within(directory.failed, 'an error')).rejects.toThrow(
      expect.objectContaining({
        code: 'BAD_RUN_DIRECTORY',
        message: expect.stringMatching(/expected to write .*\.(csv|jsonl), got ENOENT/) as string,
      }),
    );
    directory.addStep(record);
    await directory.close();
    expect(readdirSync(base)).toEqual([]);
  });
});
