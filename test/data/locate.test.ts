import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { candidates, decideSource, findData, type FoundData, type Inspected } from '../../data/locate.js';
import { temporaryDirectory } from './small-cifar10.js';

const places = { cwd: '/here', cache: '/cache' };

describe('candidates', () => {
  it('looks only in the given places, --data before LOCKSTEP_DATA', () => {
    expect(candidates({ ...places, path: 'mine', envPath: '/env' })).toEqual([
      { origin: '--data', path: '/here/mine', explicit: true },
    ]);
    expect(candidates({ ...places, envPath: '/env' })).toEqual([
      { origin: 'LOCKSTEP_DATA', path: '/env', explicit: true },
    ]);
  });

  it('looks into ./data, then the cache directory, by default or if the variable is empty', () => {
    const expected = [
      { origin: './data', path: '/here/data', explicit: false },
      { origin: 'cache directory', path: '/cache', explicit: false },
    ];
    expect(candidates(places)).toEqual(expected);
    expect(candidates({ ...places, envPath: '' })).toEqual(expected);
  });
});

describe('decideSource', () => {
  const found: FoundData = { kind: 'directory', path: '/cache/x' };
  const data: Inspected = { origin: './data', path: '/here/data', explicit: false, found: undefined };
  const cache: Inspected = { origin: 'cache directory', path: '/cache', explicit: false, found };

  it('takes the first place that holds data', () => {
    const first: FoundData = { kind: 'archive', path: '/here/data/a.tgz' };
    expect(decideSource([data, cache])).toEqual({ kind: 'read', found, reason: 'cache directory: /cache/x' });
    expect(decideSource([{ ...data, found: first }, cache])).toMatchObject({ kind: 'read', found: first });
  });

  it('downloads when no place holds data, and lists the places', () => {
    expect(decideSource([data, { ...cache, found: undefined }])).toEqual({
      kind: 'download',
      reason: 'no CIFAR-10 files found in ./data: /here/data, cache directory: /cache',
    });
  });

  it("goes nowhere else when the user's place holds nothing", () => {
    expect(decideSource([{ origin: '--data', path: '/typo', explicit: true, found: undefined }])).toEqual({
      kind: 'wrong-location',
      origin: '--data',
      path: '/typo',
    });
  });
});

describe('findData', () => {
  it('finds archives by name, and nothing in other files, empty directories or missing places', async () => {
    const directory = await temporaryDirectory();
    for (const name of ['a.tar.gz', 'b.tgz', 'c.zip']) await writeFile(join(directory, name), '');
    expect(await findData(join(directory, 'a.tar.gz'))).toEqual({ kind: 'archive', path: join(directory, 'a.tar.gz') });
    expect(await findData(join(directory, 'b.tgz'))).toEqual({ kind: 'archive', path: join(directory, 'b.tgz') });
    expect(await findData(join(directory, 'c.zip'))).toBeUndefined();
    expect(await findData(directory)).toBeUndefined();
    expect(await findData(join(directory, 'nowhere'))).toBeUndefined();
  });

  it('prefers batch files to an archive next to them', async () => {
    const directory = await temporaryDirectory();
    const archive = join(directory, 'cifar-10-binary.tar.gz');
    await writeFile(archive, '');
    expect(await findData(directory)).toEqual({ kind: 'archive', path: archive });
    const folder = join(directory, 'cifar-10-batches-bin');
    await mkdir(folder);
    await writeFile(join(folder, 'data_batch_4.bin'), '');
    expect(await findData(directory)).toEqual({ kind: 'directory', path: folder });
    await writeFile(join(directory, 'test_batch.bin'), '');
    expect(await findData(directory)).toEqual({ kind: 'directory', path: directory });
  });
});
