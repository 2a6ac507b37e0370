import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobDigest } from '../../job/digest.js';
import type { JobManifest } from '../../job/manifest.js';
import { lockstep, scratchDirectory, smallJob } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

/** A run of this version, from which the others are made. */
const current = join(scratch.path, 'current');
/** The run as if Lockstep 0.5 had stopped it after its last step. */
const earlier = join(scratch.path, 'earlier');
/** The same with CIFAR-10 as its data. */
const earlierCifar = join(scratch.path, 'earlier-cifar');
/** CIFAR-10 whose last file is too short, which is found when the data is read. */
const damagedData = join(scratch.path, 'damaged');

/** A command is refused because of the arithmetic, with this advice. */
const refused = {
  code: 2,
  stderr: expect.stringMatching(/got one of arithmetic 0 .*; use Lockstep 0\.5\.6 for it/) as string,
};

beforeAll(async () => {
  const { code, stderr } = await lockstep(['train', ...smallJob, '--workers', '1', '--run', current]);
  expect(code, stderr).toBe(0);
  makeEarlier(earlier, 'synthetic');
  makeEarlier(earlierCifar, 'cifar10');
  makeDamagedData();
});

/**
 * Copies the run with the differences of 0.5 on CPUs: no arithmetic, another engine, so another digest of the job, with
 * which the digests of its epochs began.
 */
function makeEarlier(path: string, dataset: 'synthetic' | 'cifar10'): void {
  cpSync(current, path, { recursive: true });
  const engine = { name: 'onnx', threads: 1, lowering: 'auto', device: 'auto', precision: 'float32' };
  change(join(path, 'job.json'), (manifest) => {
    const { spec, topology, dataset: data } = manifest as unknown as JobManifest;
    const changed = { ...spec, data: { ...spec.data, dataset }, engine } as unknown as JobManifest['spec'];
    const digest = jobDigest({ spec: changed, topology, datasetDigest: data.digest, arithmetic: null });
    return { ...manifest, arithmetic: undefined, spec: changed, digest };
  });
  change(join(path, 'run.json'), (record) => {
    const { fingerprint } = record['engine'] as { fingerprint: string };
    const ran = { name: 'onnx', version: '1.30.0', device: 'cpu', lowering: 'im2col', threads: 1, fingerprint };
    return { ...record, outcome: 'stopped', targets: undefined, engine: ran };
  });
}

function change(file: string, edit: (value: Record<string, unknown>) => object): void {
  writeFileSync(file, JSON.stringify(edit(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)));
}

function makeDamagedData(): void {
  mkdirSync(damagedData);
  for (const name of ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch']) {
    writeFileSync(join(damagedData, `${name}.bin`), '');
    truncateSync(join(damagedData, `${name}.bin`), 30_730_000 - (name === 'test_batch' ? 1 : 0));
  }
}

/** Content of all files of a folder, by path. */
function filesOf(folder: string): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return new Map(files.map((path) => [path, readFileSync(join(folder, path), 'latin1')]));
}

describe('a run of Lockstep 0.5 on CPUs', () => {
  it.each([
    ['train --resume', () => ['train', '--resume', earlier]],
    ['train --run with its job', () => ['train', ...smallJob, '--run', earlier]],
    ['coordinator', () => ['coordinator', ...smallJob, '--listen', '127.0.0.1:0', '--run', earlier]],
    ['verify --replay', () => ['verify', earlier, '--replay']],
  ])('is refused by %s, which names 0.5.6 and changes nothing', async (_, args) => {
    const before = filesOf(earlier);
    expect(await lockstep(args())).toMatchObject(refused);
    expect(filesOf(earlier)).toEqual(before);
  });

  it.each([
    ['train', () => ['train', '--resume', earlierCifar, '--data', damagedData]],
    ['verify', () => ['verify', earlierCifar, '--replay', '--data', damagedData]],
  ])('is refused by %s before its data is read', async (_, args) => {
    expect(await lockstep(args())).toMatchObject(refused);
  });

  it('can be compared with one of this version', async () => {
    const { code, stdout } = await lockstep(['verify', earlier, current]);
    expect(stdout).toBe('different jobs\n  arithmetic: 0 and 1\n');
    expect(code).toBe(1);
  });
});

it('the damaged data of these tests is refused when it is read', async () => {
  const args = ['train', '--preset', 'cluster-cnn3', '--data', damagedData, '--run', join(scratch.path, 'none')];
  const { code, stderr } = await lockstep(args);
  expect(stderr).toContain('test_batch.bin');
  expect(code).toBe(2);
});
