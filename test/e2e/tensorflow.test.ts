import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tensorflowDirectory } from '../programs.js';
import { lockstep, scratchDirectory } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

/** cnn3 on the synthetic dataset: 5 shards, 5 steps. */
const job = [
  ...['--preset', 'cluster-cnn3', '--batch-per-shard', '10', '--epochs', '1', '--set', 'evaluation.batch=100'],
  ...['--set', 'data.dataset=synthetic', '--set', 'data.limit=50'],
];

interface Trained {
  readonly digest: string | undefined;
  /** Mean loss of each step. */
  readonly losses: readonly number[];
  readonly run: string;
}

async function train(name: string, ...args: readonly string[]): Promise<Trained> {
  const run = join(scratch.path, name);
  // Node.js also looks here for packages.
  const environment = { NODE_PATH: join(tensorflowDirectory ?? '', 'node_modules') };
  const { code, stdout, stderr } = await lockstep(['train', ...job, ...args, '--run', run], environment);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const [header, ...rows] = readFileSync(join(run, 'steps.csv'), 'utf8').trim().split('\n');
  const column = header!.split(',').indexOf('loss');
  const losses = rows.map((row) => Number(row.split(',')[column]));
  return { digest: /Final digest: ([0-9a-f]{64})/.exec(stdout)?.[1], losses, run };
}

const title = "a job with engine.name: tensorflow (needs TF.js's native binding in LOCKSTEP_TFJS_NODE)";
describe.skipIf(tensorflowDirectory === undefined)(title, () => {
  const tensorflow = ['--set', 'engine.name=tensorflow'];

  it('gives the same bits with 1 worker and with 2, and the loss curve of the native engine', async () => {
    const one = await train('one', ...tensorflow, '--workers', '1');
    expect(one.digest).toBeDefined();
    const { engine } = JSON.parse(readFileSync(join(one.run, 'run.json'), 'utf8')) as { engine: object };
    expect(engine).toMatchObject({ name: 'tensorflow', lowering: 'eager', threads: 1 });
    expect((await train('two', ...tensorflow, '--workers', '2')).digest).toBe(one.digest);
    const native = await train('native', '--workers', '1');
    expect(native.digest).not.toBe(one.digest);
    expect(one.losses).toHaveLength(5);
    expect(one.losses[0]! / native.losses[0]!).toBeCloseTo(1, 6);
    one.losses.forEach((loss, step) => expect(loss / native.losses[step]!).toBeCloseTo(1, 3));
  });
});
