import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSteps } from '../../run/record-format.js';
import { type Ended, lockstep, scratchDirectory, smallJob } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const digestOf = ({ stdout }: Ended) => /Final digest: ([0-9a-f]{64})/.exec(stdout)?.[1];

describe('lockstep train', () => {
  const run = join(scratch.path, 'run');
  let ended: Ended;
  beforeAll(async () => {
    ended = await lockstep(['train', ...smallJob, '--workers', '2', '--run', run]);
  });

  it('ends with accuracy, confusion matrix, digest and the path of the report', () => {
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/Train Epoch: 1 \[0\/1025 \(0%\)\] {2}Loss: \d\.\d{6}/);
    expect(ended.stdout).toMatch(/Test set: Average loss: \d+\.\d{4}, Accuracy: \d+\/205 \(\d+%\)/);
    expect(ended.stdout).toContain(`Report: ${join(run, 'report', 'index.html')}`);
    expect(digestOf(ended)).toBeDefined();
  });

  it('leaves every promised file', () => {
    const promised = [
      ...['job.json', 'run.json', 'steps.csv', 'digests.jsonl', 'log.jsonl'],
      ...['checkpoints/step-00000000.safetensors', 'checkpoints/step-00000021.safetensors'],
      ...['model/model.json', 'model/weights.bin', 'model/model.onnx', 'model/model.safetensors'],
      ...['report/index.html', 'report/loss.csv', 'report/loss.svg', 'report/loss.png'],
      ...['report/confusion.csv', 'report/confusion.svg', 'report/confusion.png'],
    ];
    expect(promised.filter((name) => !existsSync(join(run, name)))).toEqual([]);
  });

  it('counts every sample of the epoch once, the smaller last step too', () => {
    const steps = parseSteps(readFileSync(join(run, 'steps.csv'), 'utf8'));
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, i) => i));
    expect(steps.map(({ samples }) => samples)).toEqual([...new Array<number>(20).fill(50), 25]);
    expect(steps.every(({ workers }) => workers === 2)).toBe(true);
  });

  it('records in run.json what it printed', () => {
    const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as Record<string, unknown>;
    expect(record).toMatchObject({ outcome: 'finished', steps: 21, workers: 2, finalDigest: digestOf(ended) });
    const digests = readFileSync(join(run, 'digests.jsonl'), 'utf8').trim().split('\n');
    expect(digests.map((line) => JSON.parse(line) as unknown)).toEqual([
      { epoch: 1, step: 21, digest: digestOf(ended) },
    ]);
  });

  it('says in the report that the data is the synthetic dataset', () => {
    expect(readFileSync(join(run, 'report', 'index.html'), 'utf8')).toContain('synthetic dataset');
  });

  it.each([
    ['1', '1', []],
    ['1', '2', []],
    ['3', '4', ['--no-shared-memory']],
    ['5', '2', []],
  ])('gives the same bits on %s workers that share %s cores %s', async (workers, cores, flags) => {
    const again = await lockstep([
      ...['train', ...smallJob, '--workers', workers, '--cores', cores],
      ...[...flags, '--run', `${run}-${workers}-${cores}`],
    ]);
    expect(digestOf(again)).toBe(digestOf(ended));
  });

  it('gives the same bits for a batch shared by all shards, on any number of workers', async () => {
    const job = [
      ...smallJob,
      '--global-batch',
      '49',
      '--set',
      'optimizer.type=adam',
      '--set',
      'data.augment.flip=true',
    ];
    const shared = job.filter((word, i) => word !== '--batch-per-shard' && job[i - 1] !== '--batch-per-shard');
    const one = await lockstep(['train', ...shared, '--workers', '1', '--run', join(scratch.path, 'shared-1')]);
    const two = await lockstep(['train', ...shared, '--workers', '2', '--run', join(scratch.path, 'shared-2')]);
    expect(one.code).toBe(0);
    expect(digestOf(one)).toBeDefined();
    expect(digestOf(two)).toBe(digestOf(one));
    const steps = parseSteps(readFileSync(join(scratch.path, 'shared-1', 'steps.csv'), 'utf8'));
    expect(steps.map(({ samples }) => samples)).toEqual([...new Array<number>(20).fill(49), 45]);
  });
});
