import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from 'tar';
import { expect, it } from 'vitest';
import { readCifar10 } from '../../data/cifar10.js';
import { BATCH_FILES, FOLDER, PLANE, RECORD_BYTES } from '../../data/cifar10-format.js';
import { decideTitle } from '../../data/cifar10-title.js';
import { findData } from '../../data/locate.js';
import { pixel, SMALL, smallBatch, temporaryDirectory, writeSmallArchive, writeSmallCifar10 } from './small-cifar10.js';

const small = { imagesPerFile: SMALL };

async function read(path: string, options = small) {
  const found = await findData(path);
  if (found === undefined) throw new Error(`nothing found in ${path}`);
  return readCifar10(found, options);
}

it('turns the planes of every record into interleaved pixels, in file order', async () => {
  const dataset = await read(await writeSmallCifar10(await temporaryDirectory()));
  expect([...dataset.train.labels]).toEqual([0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6]);
  expect([...dataset.test.labels]).toEqual([5, 6, 7]);
  for (const [file, record, place] of [
    [0, 0, 0],
    [0, 0, 1],
    [1, 2, 31],
    [4, 1, 32],
    [4, 2, 1023],
  ] as const) {
    const from = ((file * SMALL + record) * PLANE + place) * 3;
    expect([...dataset.train.images.subarray(from, from + 3)]).toEqual(
      [0, 1, 2].map((plane) => pixel(file, record, plane, place)),
    );
  }
  expect([...dataset.test.images.subarray(-3)]).toEqual([0, 1, 2].map((plane) => pixel(5, 2, plane, 1023)));
});

it('reads files of several pieces, and names the record of a bad label in a later one', async () => {
  const images = 1203;
  const folder = await writeSmallCifar10(await temporaryDirectory());
  const file = randomBytes(images * RECORD_BYTES);
  for (let record = 0; record < images; record++) file[record * RECORD_BYTES] = record % 10;
  for (const name of BATCH_FILES) await writeFile(join(folder, name), file);
  const { test, train } = await read(folder, { imagesPerFile: images });
  expect(Buffer.compare(test.images, train.images.subarray(-test.images.length))).toBe(0);
  expect([...test.labels]).toEqual(Array.from({ length: images }, (_, record) => record % 10));
  const wrong = test.images.findIndex((value, at) => {
    const [place, plane, record] = [Math.floor(at / 3) % PLANE, at % 3, Math.floor(at / (3 * PLANE))];
    return value !== file[record * RECORD_BYTES + 1 + plane * PLANE + place];
  });
  expect(wrong).toBe(-1);
  file[1100 * RECORD_BYTES] = 77;
  await writeFile(join(folder, 'data_batch_4.bin'), file);
  await expect(read(folder, { imagesPerFile: images })).rejects.toThrow(/got 77; record 1100 of .*data_batch_4\.bin/);
});

it('reads an archive as the same data as its directory, from inside a folder as well', async () => {
  const directory = await temporaryDirectory();
  const archive = await writeSmallArchive(directory);
  const [packed, nested] = [await read(archive), await read(join(directory, 'source'))];
  expect(Buffer.compare(packed.train.images, nested.train.images)).toBe(0);
  expect([packed.train.labels, packed.test]).toEqual([nested.train.labels, nested.test]);
});

it('names the file and its last whole record when a batch file is truncated', async () => {
  const folder = await writeSmallCifar10(await temporaryDirectory());
  await truncate(join(folder, 'data_batch_3.bin'), 2 * RECORD_BYTES + 5);
  await expect(read(folder)).rejects.toMatchObject({
    code: 'BAD_DATA',
    message: `read CIFAR-10: expected 9219 bytes (3 records of 3073), got 6151; ${join(folder, 'data_batch_3.bin')} ends in record 2; copy or download it again`,
  });
});

it('refuses a small copy where the full one is expected', async () => {
  const folder = await writeSmallCifar10(await temporaryDirectory());
  await expect(read(folder, { imagesPerFile: 10_000 })).rejects.toThrow(/expected 30730000 bytes .* got 9219/);
});

it('names file and record of a label over 9', async () => {
  const folder = await writeSmallCifar10(await temporaryDirectory());
  const bytes = smallBatch(1);
  bytes[2 * RECORD_BYTES] = 10;
  const path = join(folder, 'data_batch_2.bin');
  await writeFile(path, bytes);
  await expect(read(folder)).rejects.toMatchObject({
    code: 'BAD_DATA',
    message: expect.stringContaining(`expected a label from 0 to 9, got 10; record 2 of ${path}`) as string,
  });
});

it('lists all missing batches at once', async () => {
  const folder = await writeSmallCifar10(await temporaryDirectory());
  await Promise.all(['data_batch_2.bin', 'test_batch.bin'].map((name) => rm(join(folder, name))));
  await expect(read(folder)).rejects.toMatchObject({
    code: 'BAD_DATA',
    message: expect.stringContaining(
      'expected 6 batch files, got 4; ' + folder + ' lacks data_batch_2.bin, test_batch.bin',
    ) as string,
  });
});

it('takes class names from batches.meta.txt, and refuses one that does not hold ten', async () => {
  const folder = await writeSmallCifar10(await temporaryDirectory());
  expect((await read(folder)).classes[3]).toBe('cat');
  await writeFile(join(folder, 'batches.meta.txt'), 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n');
  expect((await read(folder)).classes[3]).toBe('d');
  await writeFile(join(folder, 'batches.meta.txt'), 'a\nb\n');
  await expect(read(folder)).rejects.toThrow(/expected 10 different class names, got 2 lines/);
});

it('refuses an archive that was cut off', async () => {
  const archive = await writeSmallArchive(await temporaryDirectory());
  const { length } = await readFile(archive);
  await truncate(archive, Math.floor(length / 2));
  await expect(read(archive)).rejects.toMatchObject({
    code: 'BAD_DATA',
    message: expect.stringMatching(
      /^read archive: expected a complete \.tar\.gz, got .*; download it again$/,
    ) as string,
  });
});

it('takes nothing from an archive by a path that escapes it, and writes nothing', async () => {
  const directory = await temporaryDirectory();
  const inside = join(directory, 'inside');
  await writeSmallCifar10(inside);
  await rm(join(inside, FOLDER, 'data_batch_1.bin'));
  await symlink(join(inside, FOLDER, 'data_batch_2.bin'), join(inside, FOLDER, 'data_batch_1.bin'));
  await writeFile(join(directory, 'data_batch_1.bin'), smallBatch(0));
  await mkdir(join(inside, 'other'));
  await writeFile(join(inside, 'other', 'data_batch_1.bin'), smallBatch(0));
  const file = join(directory, 'tricky.tgz');
  await create({ file, cwd: inside, gzip: true, preservePaths: true }, ['../data_batch_1.bin', FOLDER, 'other']);
  const before = await readdir(directory);
  await expect(read(file)).rejects.toThrow(/expected 6 batch files, got 5; .* lacks data_batch_1\.bin;/);
  expect(await readdir(directory)).toEqual(before);
});

it('refuses a file of another size inside an archive before keeping any of it', async () => {
  const directory = await temporaryDirectory();
  const folder = await writeSmallCifar10(directory);
  await truncate(join(folder, 'test_batch.bin'), 1_000_000);
  const file = join(directory, 'large.tar.gz');
  await create({ file, cwd: directory, gzip: true }, [FOLDER]);
  await expect(read(file)).rejects.toThrow(/expected 9219 bytes .* got 1000000; test_batch\.bin in .*large\.tar\.gz/);
});

const official = 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd';
const jpeg = '8da035fc1631e8ce5f25904206b8993b0f3ad02a504c0584d662e806fd76c12b';
it.each([
  ['the official archive', { archiveSha256: official, sha256: {} }, 'CIFAR-10'],
  [
    'files unpacked from it',
    { marker: { archiveSha256: official, sha256: { a: '1' } }, sha256: { a: '1' } },
    'CIFAR-10',
  ],
  [
    'files changed after unpacking',
    { marker: { archiveSha256: official, sha256: { a: '1' } }, sha256: { a: '2' } },
    'CIFAR-10 (unverified copy)',
  ],
  ['the JPEG copy', { sha256: { 'data_batch_1.bin': jpeg } }, 'CIFAR-10 (JPEG copy)'],
  [
    'another archive',
    { archiveSha256: '0', marker: { archiveSha256: '0', sha256: {} }, sha256: { 'data_batch_1.bin': '0' } },
    'CIFAR-10 (unverified copy)',
  ],
])('reports %s by its right name', (_, evidence, title) => {
  expect(decideTitle(evidence).title).toBe(title);
});

it('reads the marker of an earlier version, which named the archive by its md5', async () => {
  const folder = await writeSmallCifar10(await temporaryDirectory());
  const sha256: Record<string, string> = {};
  for (const name of BATCH_FILES) {
    sha256[name] = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex');
  }
  const marker = (archiveMd5: string) =>
    writeFile(join(folder, 'lockstep-source.json'), JSON.stringify({ archiveMd5, sha256 }));
  await marker('c32a1d4ab5d03f1284b67883e8d87530');
  expect((await read(folder)).title).toBe('CIFAR-10');
  await marker('0'.repeat(32));
  expect((await read(folder)).title).toBe('CIFAR-10 (unverified copy)');
});

it('treats a broken marker as none', async () => {
  const folder = await writeSmallCifar10(await temporaryDirectory());
  await writeFile(join(folder, 'lockstep-source.json'), '{"archiveSha256":');
  expect((await read(folder)).title).toBe('CIFAR-10 (unverified copy)');
});
