import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prediction } from '../../cli/commands/predict.js';
import { parseLines } from '../../run/record-format.js';
import type { EvaluationEntry } from '../../run/records.js';
import { parseManifest } from '../../job/manifest.js';
import { hue, paintFile } from '../data/image-files.js';
import { type Ended, lockstep, scratchDirectory } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);
const folder = join(scratch.path, 'hues');
const run = join(scratch.path, 'run');
const environment = { XDG_CACHE_HOME: join(scratch.path, 'cache'), LOCKSTEP_DATA: '/nowhere' };
const programs = join(scratch.path, 'cache', 'lockstep', 'programs');
const colors = { blue: [20, 40, 200], green: [30, 190, 40], red: [200, 30, 30] };

const job = [
  ...['--model', 'cnn3', '--epochs', '3', '--shards', '2', '--batch-per-shard', '15', '--optimizer', 'adam'],
  ...['--preset', 'cluster-cnn3', '--name', 'hues', '--set', 'data.image={height: 16, width: 24}'],
  ...['--set', 'evaluation.batch=10', '--http', '127.0.0.1:0'],
];
const digestOf = ({ stdout }: Ended) => /Final digest: ([0-9a-f]{64})/.exec(stdout)?.[1];
const command = async (...args: string[]) => lockstep(args, environment, 60_000);
/** Output of a command, parsed as JSON. */
async function json<Value = unknown>(...args: string[]): Promise<Value> {
  const { code, stdout, stderr } = await command(...args, '--json');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Value;
}

let trained: Ended;
beforeAll(async () => {
  for (const [name, color] of Object.entries(colors)) {
    for (let k = 0; k < 40; k++) {
      await paintFile(folder, `${name}/${k}.${k % 2 ? 'jpg' : 'png'}`, hue(color, k, 20 + (k % 9), 18 + (k % 5)));
    }
  }
  writeFileSync(join(folder, 'red', 'notes.txt'), '');
  const data = `{ dataset: folder, path: ${basename(folder)} }`;
  const text = `name: hues\nmodel: cnn3\nepochs: 3\nshards: 2\nbatchPerShard: 15\ndata: ${data}\n`;
  writeFileSync(join(scratch.path, 'job.yaml'), text);
  trained = await command('train', join(scratch.path, 'job.yaml'), ...job, '--workers', '2', '--run', run);
});

describe('a run on an image folder', () => {
  it('learns its classes', () => {
    expect(trained.stderr).toBe('');
    expect(trained.code).toBe(0);
    expect(trained.stdout).toContain('cnn3 on hues (image folder), 3 epochs');
    const [, correct, total] = /Accuracy: (\d+)\/(\d+)/.exec(
      trained.stdout.slice(trained.stdout.lastIndexOf('Test set')),
    )!;
    expect(Number(total)).toBeGreaterThan(10);
    expect(Number(correct) / Number(total)).toBeGreaterThan(0.9);
  });

  it('has the same digest with one worker and with recompiled programs; these are kept only if wanted', async () => {
    expect(readdirSync(programs).length).toBeGreaterThan(4);
    const elsewhere = { ...environment, XDG_CACHE_HOME: join(scratch.path, 'unused') };
    const data = ['--set', 'data.dataset=folder', '--data', folder];
    const args = ['train', ...job, ...data, '--workers', '1', '--no-cache', '--run', `${run}-2`];
    expect(digestOf(await lockstep(args, elsewhere, 60_000))).toBe(digestOf(trained));
    expect(existsSync(join(elsewhere.XDG_CACHE_HOME, 'lockstep'))).toBe(false);
  });

  it('keeps the place of its images, as the spec file names it or as --data does, for commands run elsewhere', () => {
    for (const directory of [run, `${run}-2`]) {
      const { spec } = parseManifest(readFileSync(join(directory, 'job.json'), 'utf8'));
      expect(spec.data.path).toBe(folder);
    }
  });

  it('reports what it skips in the folder, in its log too, as does data info', async () => {
    const note = 'skipped: 1 file of unsupported types: 1 txt; in red/';
    expect(trained.stdout).toContain(`\ndata: ${note}\n`);
    expect(readFileSync(join(run, 'log.jsonl'), 'utf8')).toContain(note);
    expect((await command('data', 'info', '--folder', folder)).stdout).toContain(`\n${note}\n`);
    expect((await json<{ notes: string[] }>('data', 'info', join(scratch.path, 'job.yaml'))).notes).toEqual([note]);
  });

  it('is described by data info', async () => {
    const { stdout } = await command(
      'data',
      'info',
      '--folder',
      folder,
      '--size',
      '8',
      '--sheet',
      join(scratch.path, 'sheet.png'),
    );
    expect(stdout).toMatch(/^hues \(image folder\)\n.*\n.*\n\d+ training and \d+ test images, 8 x 8 x 3\n/);
    expect(stdout).toMatch(/images per class +train +test\nblue +\d+ +\d+\ngreen/);
    expect(readFileSync(join(scratch.path, 'sheet.png')).subarray(1, 4).toString()).toBe('PNG');
  });
});

describe('lockstep evaluate', () => {
  it("gives the run's own evaluations to the last bit, with the workers' cached programs", async () => {
    const kept = readdirSync(programs);
    const entries = parseLines<EvaluationEntry>(readFileSync(join(run, 'evaluations.jsonl'), 'utf8'));
    const { step, epoch, loss, correct, total, confusion } = entries.find(({ record }) => record.epoch === 2)!.record;
    const evaluated = await json('evaluate', run, '--checkpoint', 'epoch:2');
    expect(evaluated).toMatchObject({ step, epoch, loss, correct, total, confusion, sameData: true });
    expect(readdirSync(programs)).toEqual(kept);
  });

  it('prints it as text, with advice if there is nothing', async () => {
    const { stdout, code } = await command('evaluate', run, '--checkpoint', 'best');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^.*run, after step \d+ \(epoch \d of 3\) on hues \(image folder\)\nTest set: Average loss: /,
    );
    expect(stdout).toContain('actual blue gree  red accuracy');
    const nothing = await command('evaluate', join(scratch.path, 'nowhere'));
    expect(nothing).toMatchObject({ code: 2, stdout: '' });
    expect(nothing.stderr).toMatch(
      /open model .*nowhere: expected a run directory.*got no such file; see lockstep runs/,
    );
  });
});

describe('lockstep export', () => {
  it('writes a model that gives the answers of the run, and overwrites none', async () => {
    const out = join(scratch.path, 'flowers.onnx');
    const args = ['export', run, '--format', 'onnx', '--out', out];
    expect(await command(...args)).toMatchObject({ code: 0, stderr: '' });
    const image = join(folder, 'red', '3.jpg');
    const [ofRun] = await json<Prediction[]>('predict', run, image);
    const [ofFile] = await json<Prediction[]>('predict', out, image);
    expect(ofRun!.classes.map(({ name }) => name)[0]).toBe('red');
    ofFile!.classes.forEach(({ name, probability }, k) => {
      expect(name).toBe(ofRun!.classes[k]!.name);
      expect(Math.abs(probability - ofRun!.classes[k]!.probability)).toBeLessThan(1e-6);
    });
    const again = await command(...args);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(`expected a new file, got existing ${out}; pass --force or another --out`);
  });

  it('converts one format into another', async () => {
    const out = join(scratch.path, 'tfjs');
    const args = ['export', join(run, 'model', 'model.safetensors'), '--format', 'tfjs', '--out', out];
    expect((await command(...args)).code).toBe(0);
    for (const name of ['weights.bin', 'model.json']) {
      expect(readFileSync(join(out, name))).toEqual(readFileSync(join(run, 'model', name)));
    }
  });
});

describe('lockstep predict', () => {
  it('shows the most probable classes of each image', async () => {
    const images = ['blue/1.jpg', 'green/2.png'].map((name) => join(folder, name));
    const { stdout } = await command('predict', run, ...images, '--top', '1');
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/blue\/1\.jpg {3}blue \d+\.\d %$/);
    expect(lines[1]).toMatch(/green\/2\.png {2}green \d+\.\d %$/);
  });

  it('names all files that it cannot use', async () => {
    writeFileSync(join(scratch.path, 'text.png'), 'no image');
    const files = ['text.png', 'none.png'].map((name) => join(scratch.path, name));
    const { code, stderr } = await command('predict', run, join(folder, 'blue', '1.jpg'), ...files);
    expect(code).toBe(2);
    expect(stderr).toContain('2 files are unusable');
    for (const file of files) expect(stderr).toContain(file);
  });
});
