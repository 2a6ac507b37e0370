import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFolder } from '../../../job/data/folder.js';
import { inHashOrder, splitByHash } from '../../../job/data/folder-files.js';
import { openDataset } from '../../../job/data/index.js';
import { datasetDigest } from '../../../job/data/parts.js';
import { shardRange } from '../../../job/shards.js';
import { hue, paintFile } from './image-files.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lockstep-folder-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const format = { height: 6, width: 8, channels: 3, fit: 'cover' } as const;
const options = { format, testShare: 0.25 };
const red = [180, 20, 20];
const blue = [20, 20, 180];

async function paint(folder: string, color: readonly number[], count: number): Promise<void> {
  for (let k = 0; k < count; k++) await paintFile(root, `${folder}/${k}.${k % 2 ? 'jpg' : 'png'}`, hue(color, k));
}

describe('an image folder', () => {
  it('becomes a dataset: sizes, classes by folder, every image once', async () => {
    await paint('red', red, 9);
    await paint('blue/inner', blue, 7);
    await writeFile(join(root, 'red', 'notes.txt'), 'left out');
    await writeFile(join(root, 'red', '.hidden.png'), 'left out');
    const dataset = await readFolder(root, options);
    expect(dataset.classes).toEqual(['blue', 'red']);
    expect(dataset.imageShape).toEqual([6, 8, 3]);
    expect(dataset.origin).toBe(`${root} (1 other file(s) left out)`);
    const labels = [...dataset.train.labels, ...dataset.test.labels];
    expect(labels.filter((label) => label === 1)).toHaveLength(9);
    expect(labels).toHaveLength(16);
    expect(dataset.trainBatches).toEqual([dataset.train.count]);
    for (const { count, images, labels: own } of [dataset.train, dataset.test]) {
      expect(images.length).toBe(count * 144);
      for (let i = 0; i < count; i++) {
        const isRed = images[i * 144]! > images[i * 144 + 2]!;
        expect(isRed, `image ${i}`).toBe(own[i] === 1);
      }
    }
  });

  it('takes train/ and test/ as they are', async () => {
    await paint('train/red', red, 3);
    await paint('train/blue', blue, 2);
    await paint('test/red', red, 2);
    const { train, test, classes } = await readFolder(root, options);
    expect([train.count, test.count, classes]).toEqual([5, 2, ['blue', 'red']]);
    expect([...test.labels]).toEqual([1, 1]);
    const { train: few } = await readFolder(root, { ...options, limit: 2 });
    expect(few.images).toEqual(train.images.slice(0, 2 * 144));
  });

  it('has one digest wherever it lies, and another when a pixel, a name or the size changes', async () => {
    await paint('red', red, 6);
    await paint('blue', blue, 6);
    const digest = async (place = root, wanted = options) => datasetDigest(await readFolder(place, wanted));
    const before = await digest();
    expect(await digest()).toBe(before);
    await rename(root, `${root}-moved`);
    expect(await digest(`${root}-moved`)).toBe(before);
    await rename(`${root}-moved`, root);
    expect(await digest(root, { ...options, format: { ...format, fit: 'fill' as 'cover' } })).not.toBe(before);
    await paintFile(root, 'red/0.png', hue(red, 99));
    const repainted = await digest();
    expect(repainted).not.toBe(before);
    await rename(join(root, 'red', '2.png'), join(root, 'red', 'other.png'));
    expect(await digest()).not.toBe(repainted);
  });

  it('normalises by its training pixels, plain ones too', async () => {
    for (const name of ['a', 'b']) {
      for (let k = 0; k < 6; k++)
        await paintFile(root, `${name}/${k}.png`, { width: 8, height: 6, paint: () => [51, 102, 255] });
    }
    const { normalise } = await readFolder(root, options);
    expect(normalise).toEqual({ mean: [0.2, 0.4, 1], deviation: [0.004, 0.004, 0.004] });
  });

  it('names what is wrong with it', async () => {
    const reading = () => readFolder(root, options);
    await expect(reading()).rejects.toThrow(
      /expected 2 to 256 class folders, or train\/ and test\/ with class folders, got 0/,
    );
    await paint('red', red, 3);
    await expect(reading()).rejects.toThrow('got one, red');
    await mkdir(join(root, 'blue'));
    await expect(reading()).rejects.toThrow(`expected PNG or JPEG files, got none; ${join(root, 'blue')}`);
    for (let k = 0; k < 20; k++) await writeFile(join(root, 'blue', `${k}.jpg`), 'no image');
    await expect(reading()).rejects.toThrow(
      /files cannot be used\n {2}read image: expected a PNG or JPEG, got another kind of file; .*blue.*\n {2}and \d+ more$/s,
    );
    await expect(readFolder(join(root, 'nowhere'), options)).rejects.toThrow(/got ENOENT/);
    await expect(readFolder(root, { ...options, testShare: 1e-9 })).rejects.toThrow('none for test');
    await mkdir(join(root, 'train'));
    await mkdir(join(root, 'test', 'green'), { recursive: true });
    await paint('train/red', red, 1);
    await paint('train/blue', blue, 1);
    await expect(reading()).rejects.toThrow(
      `expected the classes of train/, got others too: green; ${join(root, 'test')}`,
    );
  });

  it('is opened by the spec’s path or by --data, and asked for where there is neither', async () => {
    await paint('red', red, 4);
    await paint('blue', blue, 4);
    const open = (path?: string, specPath?: string) =>
      openDataset({
        dataset: 'folder',
        cwd: join(root, '..'),
        folder: { ...options, path: specPath },
        envPath: '/nowhere',
        ...(path !== undefined && { path }),
      });
    const { title } = await open(undefined, root.split('/').at(-1));
    expect(title).toBe(`${root.split('/').at(-1)} (image folder)`);
    expect((await open(root, '/nowhere')).train.count).toBeGreaterThan(0);
    await expect(open()).rejects.toThrow('set data.path in the spec, or pass --data DIR');
  });
});

describe('the order of a folder', () => {
  const files = fc
    .uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 60 })
    .map((paths) => paths.map((path, i) => ({ path, label: i % 3 })));
  const pathsOf = (list: readonly { path: string }[]) => list.map(({ path }) => path);

  it('depends on the paths alone, not on the order in which they are found', () => {
    fc.assert(
      fc.property(files, (list) => {
        expect(pathsOf(inHashOrder([...list].reverse()))).toEqual(pathsOf(inHashOrder(list)));
      }),
    );
  });

  it('puts every image into one set, and moves none when others come', () => {
    fc.assert(
      fc.property(files, fc.double({ min: 0.01, max: 0.99 }), (list, share) => {
        const { train, test } = splitByHash(list, share);
        expect(pathsOf([...train, ...test]).sort()).toEqual(pathsOf(list).sort());
        const half = splitByHash(list.slice(0, Math.ceil(list.length / 2)), share);
        for (const { path } of half.test) expect(pathsOf(test)).toContain(path);
        for (const { path } of half.train) expect(pathsOf(train)).toContain(path);
      }),
    );
  });

  it('takes about the wanted share for testing, and mixes the classes into every shard', () => {
    const list = Array.from({ length: 3000 }, (_, i) => ({ path: `${i % 3}/${i}.png`, label: i % 3 }));
    const { train, test } = splitByHash(list, 0.2);
    expect(test.length).toBeGreaterThan(540);
    expect(test.length).toBeLessThan(660);
    for (let shard = 0; shard < 5; shard++) {
      const { start, count } = shardRange(train.length, 5, shard);
      for (const label of [0, 1, 2]) {
        const share = train.slice(start, start + count).filter((file) => file.label === label).length / count;
        expect(share).toBeGreaterThan(0.25);
        expect(share).toBeLessThan(0.42);
      }
    }
  });

  it('is the same however a file system writes accents', () => {
    const written = (form: 'NFC' | 'NFD') =>
      ['café/1.png', 'thé/1.png', 'a/1.png', 'b/1.png'].map((path, label) => ({ path: path.normalize(form), label }));
    expect(inHashOrder(written('NFD')).map(({ label }) => label)).toEqual(
      inHashOrder(written('NFC')).map(({ label }) => label),
    );
  });
});
