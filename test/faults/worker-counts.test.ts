import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lockstep, scratchDirectory } from '../e2e/lockstep.js';
import { faultJob } from './rig.js';
import { readRun } from './run-record.js';

describe('the number of workers changes nothing', () => {
  const scratch = scratchDirectory();
  afterAll(scratch.remove);
  const job = faultJob('--shards', '5', '--optimizer', 'adam', '--learning-rate', '0.001');

  it('cluster-cnn3 with Adam and augmentation: one chain of digests for 1, 2, 3 and 5 workers', async () => {
    const runs = [];
    for (const workers of ['1', '2', '3', '5']) {
      const directory = join(scratch.path, workers);
      const ended = await lockstep(['train', ...job, '--workers', workers, '--run', directory]);
      expect(ended.stderr).toBe('');
      expect(ended.code).toBe(0);
      runs.push(readRun(directory));
    }
    expect(runs[0]!.digests).toHaveLength(4);
    expect(runs[0]!.samples).toBe(4 * 625);
    for (const run of runs) expect(run).toEqual(runs[0]);
  });
});
