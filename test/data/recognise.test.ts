import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from 'tar';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../data/index.js';
import { hue, paintFile } from './image-files.js';
import { temporaryDirectory, writeSmallCifar10 } from './small-cifar10.js';

/** The message for a path where CIFAR-10 was expected. */
async function messageFor(path: string): Promise<string> {
  return openDataset({ dataset: 'cifar10', cwd: '/', path, download: false, imagesPerFile: 3 }).then(
    () => expect.unreachable('expected an error'),
    (error: Error) => error.message,
  );
}

async function writeFiles(folder: string, names: readonly string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await Promise.all(names.map((name) => writeFile(join(folder, name), 'x')));
  return folder;
}

const pythonFiles = ['batches.meta', 'data_batch_1', 'data_batch_2', 'test_batch'];

describe('a place without CIFAR-10 in its binary version', () => {
  it.each([
    ["CIFAR-10's Python version", pythonFiles],
    ["CIFAR-10's MATLAB version", ['data_batch_1.mat', 'test_batch.mat']],
    ['CIFAR-100', ['train.bin', 'test.bin', 'fine_label_names.txt']],
    ["CIFAR-10's Python version", ['cifar-10-python.tar.gz']],
  ])('is recognised as %s, and the binary version asked for', async (version, names) => {
    const folder = await writeFiles(await temporaryDirectory(), names);
    expect(await messageFor(folder)).toBe(
      'open dataset: expected data_batch_1.bin to data_batch_5.bin and test_batch.bin, or a .tar.gz of them, got ' +
        `${version}; --data: ${folder}; the binary version is required: cifar-10-binary.tar.gz from ` +
        'https://www.cs.toronto.edu/~kriz/cifar.html, or run: lockstep data download; pass it with --data, or set LOCKSTEP_DATA',
    );
  });

  it('is also recognised as the Python version above its folder, and in its archive under any name', async () => {
    const directory = await temporaryDirectory();
    await writeFiles(join(directory, 'cifar-10-batches-py'), pythonFiles);
    expect(await messageFor(directory)).toContain("got CIFAR-10's Python version");
    const archive = join(directory, 'mine.tar.gz');
    await create({ file: archive, cwd: directory, gzip: true }, ['cifar-10-batches-py']);
    expect(await messageFor(archive)).toContain(
      `expected the binary version, got CIFAR-10's Python version; ${archive}; the binary version is required:`,
    );
  });

  it('is reported to hold class folders, with the setting that trains on them', async () => {
    const directory = await temporaryDirectory();
    for (const name of ['blue', 'green', 'red']) await paintFile(directory, `${name}/inner/1.png`, hue([1, 2, 3], 1));
    expect(await messageFor(directory)).toContain(
      `got folders of images (blue, green, red); --data: ${directory}; to train on class folders, add --set data.dataset=folder`,
    );
  });

  it.each([
    ['an empty folder', [], ''],
    ['a folder of other files (a.txt, b.csv)', ['a.txt', 'b.csv'], ''],
    ['a single file', ['data_batch_1.bin'], 'data_batch_1.bin'],
    ['an archive of another type', ['images.zip'], 'images.zip'],
    ['no such file or directory (ENOENT)', [], 'typo'],
  ])('is described: %s', async (found, names, below) => {
    const directory = await writeFiles(await temporaryDirectory(), names);
    const path = join(directory, below);
    expect(await messageFor(path)).toContain(`got ${found}; --data: ${path}; `);
  });
});

it('names unread files next to CIFAR-10, in a folder and in an archive', async () => {
  const directory = await temporaryDirectory();
  const folder = await writeSmallCifar10(directory);
  await writeFiles(folder, ['readme.html', 'mine.txt', '.DS_Store']);
  await mkdir(join(folder, 'red'));
  const read = (path: string) => openDataset({ dataset: 'cifar10', cwd: '/', path, imagesPerFile: 3 });
  expect((await read(folder)).notes).toEqual(['not used: mine.txt, red']);
  const archive = join(directory, 'mine.tgz');
  await create({ file: archive, cwd: directory, gzip: true }, ['cifar-10-batches-bin']);
  expect((await read(archive)).notes).toEqual(['not used: cifar-10-batches-bin/mine.txt']);
});

it('refuses a place for computed data', async () => {
  await expect(openDataset({ dataset: 'synthetic', cwd: '/', path: 'imgs' })).rejects.toMatchObject({
    code: 'BAD_OPTION',
    message: expect.stringContaining('--data: expected none with the synthetic dataset') as string,
  });
});
