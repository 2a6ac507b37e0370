import { Command } from 'commander';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { positive, seconds } from '../../../cli/options/numbers.js';
import { addSpecOptions, presetHelp, specFrom, type SpecOptions } from '../../../cli/options/options.js';
import type { JobSpec } from '../../../job/spec.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lockstep-options-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

function file(text: string): string {
  const path = join(directory, 'job.yaml');
  writeFileSync(path, text);
  return path;
}

/** The spec that a command line with an optional file gives. */
async function spec(args: string[], path?: string, defaultPreset?: string): Promise<JobSpec> {
  const command = addSpecOptions(new Command('test').exitOverride(), defaultPreset);
  command.parse(args, { from: 'user' });
  return specFrom(path, command.opts<SpecOptions>());
}

const problems = async (args: string[], path?: string): Promise<string> => {
  const error = await spec(args, path).then(
    () => expect.unreachable('expected an error'),
    (thrown: unknown) => thrown as Error & { code: string },
  );
  expect(error.code).toBe('BAD_SPEC');
  return error.message;
};

describe('the spec of a command line', () => {
  it('is cluster-cnn3 by default', async () => {
    expect(await spec([])).toMatchObject({ name: 'cluster-cnn3', shards: 5, batchPerShard: 49, epochs: 7 });
  });

  it('is the named preset', async () => {
    expect(await spec(['--preset', 'lecture-sharded'])).toMatchObject({ name: 'lecture-sharded', globalBatch: 49 });
  });

  it('is that of the file alone, without a preset behind it', async () => {
    const path = file('name: mine\nmodel: cnn4\nshards: 2\nbatchPerShard: 8\nepochs: 3\n');
    expect(await spec([], path)).toMatchObject({ name: 'mine', model: 'cnn4', schedule: { type: 'constant' } });
  });

  it.each<[string, string[], object]>([
    ['--name', ['--name', 'mine'], { name: 'mine' }],
    ['--model', ['--model', 'cnn4'], { model: 'cnn4' }],
    ['--epochs', ['--epochs', '12'], { epochs: 12 }],
    ['--seed', ['--seed', '0'], { seed: 0 }],
    ['--shards', ['--shards', '10'], { shards: 10 }],
    ['--batch-per-shard', ['--batch-per-shard', '7'], { batchPerShard: 7 }],
    ['--global-batch', ['--global-batch', '64'], { globalBatch: 64 }],
    ['--optimizer', ['--optimizer', 'adamw'], { optimizer: { type: 'adamw', weightDecay: 0.01 } }],
    ['--learning-rate', ['--learning-rate', '0.125'], { optimizer: { type: 'sgd', learningRate: 0.125 } }],
    ['--schedule', ['--schedule', 'constant'], { schedule: { type: 'constant' } }],
    [
      '--set',
      ['--set', 'data.augment.flip=true', '--set', 'data.augment.crop=4'],
      { data: { augment: { flip: true, crop: 4 } } },
    ],
  ])('takes %s over that of the preset', async (_, args, expected) => {
    const changed = await spec(args);
    expect(changed).toMatchObject(expected);
    expect(changed.schedule.type === 'constant').toBe(args.includes('--schedule'));
  });

  it.each([
    [['--name', '20260131'], { name: '20260131' }],
    [['--name', 'true'], { name: 'true' }],
    [['--model', 'my models #1/net.mjs'], { model: 'my models #1/net.mjs' }],
    [['--model', '[v2]/net.mjs'], { model: '[v2]/net.mjs' }],
    [['--model', '@me/net.mjs'], { model: '@me/net.mjs' }],
    [['--model', '"quoted".mjs'], { model: '"quoted".mjs' }],
    [['--model', '{a: 1}.json'], { model: '{a: 1}.json' }],
  ])('keeps the text of %j unchanged', async (args, expected) => {
    expect(await spec(args)).toMatchObject(expected);
  });

  it('takes preset, file, flags and --set in this order', async () => {
    const path = file('epochs: 2\nseed: 5\noptimizer:\n  learningRate: 0.25\n');
    const made = await spec(['--preset', 'cluster-cnn4', '--epochs', '3', '--seed', '6', '--set', 'seed=7'], path);
    expect(made).toMatchObject({ model: 'cnn4', epochs: 3, seed: 7, optimizer: { learningRate: 0.25, momentum: 0.9 } });
  });

  it('has no preset default of one command in another', async () => {
    expect((await spec([], undefined, 'lecture-cnn4')).name).toBe('lecture-cnn4');
    expect((await spec([])).name).toBe('cluster-cnn3');
  });
});

describe('a spec that is wrong', () => {
  it('is refused with all problems, each where it was written', async () => {
    const path = file('name: Mine\nepochs: 0\nbatchPerShard: 49\nshards: 5\nmodel: cnn3\nmomentum: 0.9\n');
    const message = await problems(['--seed', '-1', '--set', 'evaluation.batch=x'], path);
    expect(message).toMatch(/^job spec: 5 problems\n/);
    expect(message).toMatch(new RegExp(`name: .*${path}:1`));
    expect(message).toMatch(new RegExp(`epochs: .*${path}:2`));
    expect(message).toMatch(new RegExp(`momentum: .*optimizer\\.momentum.*${path}:6`));
    expect(message).toMatch(/seed: .*--(set )?seed/);
    expect(message).toMatch(/evaluation\.batch: .*--set evaluation\.batch/);
  });

  it.each([
    [['--epochs', 'ten'], 'epochs: expected a whole number from 1 to 100000, got "ten" (--epochs)'],
    [['--epochs', '1.5'], 'epochs: expected a whole number from 1 to 100000, got 1.5 (--epochs)'],
    [['--epochs', ''], 'epochs: expected a whole number from 1 to 100000, got "" (--epochs)'],
    [['--epochs', '0x10'], 'epochs: expected a whole number from 1 to 100000, got "0x10" (--epochs)'],
    [['--batch-per-shard', '-3'], 'batchPerShard: expected a whole number from 1 to 1024, got -3 (--batch-per-shard)'],
    [['--seed', 'null'], 'seed: expected a whole number from 0 to 4294967295, got "null" (--seed)'],
    [
      ['--learning-rate', '0'],
      'optimizer.learningRate: expected a number above 0 and at most 100, got 0 (--learning-rate)',
    ],
    [['--optimizer', 'sdg'], 'optimizer.type: expected sgd, adam or adamw, got "sdg" (--optimizer)'],
    [['--schedule', 'true'], 'schedule.type: expected constant, step or cosine, got "true" (--schedule)'],
    [
      ['--schedule', 'step'],
      'schedule.everyEpochs: expected a whole number from 1 to 100000, got nothing (--schedule)',
    ],
    [
      ['--device', 'gpu'],
      'engine.device: expected auto, cpu, cuda, cuda:0 (the first GPU), … or webgpu, got "gpu" (--device)',
    ],
    [
      ['--name', 'a #b'],
      'name: expected lower-case letters, digits and dashes, 1 to 53 characters, got "a #b" (--name)',
    ],
  ])('is refused with %j', async (args, problem) => {
    expect(await problems(args)).toBe(`job spec: 1 problem\n  ${problem}`);
  });

  it('is refused when both kinds of batch are given', async () => {
    expect(await problems(['--batch-per-shard', '10', '--global-batch', '50'])).toContain(
      'expected exactly one of batchPerShard and globalBatch',
    );
  });

  it.each([
    ['an unknown preset', ['--preset', 'cluster-cnn5'], /^preset: expected one of .*did you mean/],
    ['a setting without a value', ['--set', 'epochs'], /^set: expected PATH=VALUE, got "epochs"/],
    ['an unknown key', ['--set', 'optimiser.momentum=0.9'], /optimiser: .*did you mean optimizer/],
  ])('is refused with %s', async (_, args, message) => {
    expect(await problems(args)).toMatch(message);
  });

  it('is refused when its file cannot be read or is no YAML', async () => {
    expect(await problems([], join(directory, 'missing.yaml'))).toMatch(
      /^read job spec: expected a readable file, got ENOENT/,
    );
    expect(await problems([], directory)).toMatch(/^read job spec: expected a readable file, got EISDIR/);
    expect(await problems([], file('a: [1\nb: }'))).toContain(`${join(directory, 'job.yaml')}:2`);
  });
});

describe('numbers of the command line', () => {
  it.each([
    ['2', 2_000],
    ['0.25', 250],
    ['1e3', 1_000_000],
    ['2147483', 2_147_483_000],
    ['2147483.647', 2_147_483_647],
  ])('reads %s seconds', (text, ms) => expect(seconds(text)).toBe(ms));
  it.each(['', '0', '-1', 'x', 'NaN', 'Infinity', '0x10', '0.0001', '2s'])('refuses "%s" seconds', (text) => {
    expect(() => seconds(text)).toThrow('expected a number of seconds above 0');
  });
  it.each(['2147483.648', '2147484', '1e9', '1e400'])('refuses %s seconds, which no timer can wait', (text) => {
    expect(() => seconds(text)).toThrow('expected at most 2147483 s');
  });
  it.each(['1', '1024'])('reads %s workers', (text) => expect(positive(text)).toBe(Number(text)));
  it.each(['', '0', '-1', '1.5', '1025', 'auto', '0x1', '1e2', ' 1'])('refuses "%s" workers', (text) => {
    expect(() => positive(text)).toThrow('expected 1 to 1024');
  });
});

it('lists every preset with its summary', () => {
  expect(presetHelp()).toMatch(/\n {2}lecture-cnn3 +the lecture's network.*\n {2}lecture-cnn4 +/);
  expect(presetHelp().trim().split('\n')).toHaveLength(6);
});
