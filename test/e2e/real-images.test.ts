import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCifar10 } from '../../data/cifar10.js';
import { classCounts } from '../../data/explore.js';
import { findData } from '../../data/locate.js';
import { lockstep, scratchDirectory } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const images = process.env['LOCKSTEP_DATA'];

describe.skipIf(images === undefined)('on the real images (needs CIFAR-10 in LOCKSTEP_DATA)', () => {
  it('learns: one epoch of cluster-cnn3 classifies at least 50 % of the test set', async () => {
    const run = join(scratch.path, 'real');
    const ended = await lockstep(['train', '--preset', 'cluster-cnn3', '--epochs', '1', '--run', run]);
    expect(ended.stderr).toBe('');
    const [, correct, total] = /Accuracy: (\d+)\/(\d+)/.exec(ended.stdout) ?? [];
    expect(Number(total)).toBe(10_000);
    expect(Number(correct)).toBeGreaterThanOrEqual(5_000);
    expect(ended.stdout).toContain('CIFAR-10');
  }, 300_000);

  it('reads every image and label', async () => {
    const found = (await findData(images!))!;
    const dataset = await readCifar10(found);
    const [first] = classCounts(dataset);
    expect(first!.counts).toEqual([1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]);
    expect(classCounts(dataset).at(-1)!.counts).toEqual(Array(10).fill(1000));
    expect([...dataset.test.labels.subarray(-4)]).toEqual([3, 5, 1, 7]);
    expect(dataset.title).toMatch(/^CIFAR-10( \(JPEG copy\))?$/);
    // The first record again, read by hand: its label, then the three planes' first values.
    const file = await readFile(join(found.path, 'data_batch_1.bin'));
    expect(dataset.train.labels[0]).toBe(file[0]);
    expect([...dataset.train.images.subarray(0, 3)]).toEqual([file[1], file[1025], file[2049]]);
    expect(createHash('sha256').update(dataset.train.labels).digest('hex')).toBe(
      '2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253',
    );
  });
});
