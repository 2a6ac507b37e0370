import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readFolder } from '../../data/folder.js';
import { openDataset } from '../../data/index.js';
import { datasetDigest } from '../../data/chunks.js';
import { blue, emptyFolder, format, options, paintClass, red } from './folder-builder.js';
import { hue, paintFile } from './image-files.js';

let root: string;
beforeEach(async () => {
  root = await emptyFolder();
});

const paint = (folder: string, color: readonly number[], count: number) => paintClass(join(root, folder), color, count);

describe('an image folder', () => {
  it('becomes a dataset: sizes, classes by folder, every image once', async () => {
    await paint('red', red, 9);
    await paint('blue/inner', blue, 7);
    await writeFile(join(root, 'red', 'notes.txt'), 'left out');
    await writeFile(join(root, 'red', '.hidden.png'), 'left out');
    const dataset = await readFolder(root, options);
    expect(dataset.classes).toEqual(['blue', 'red']);
    expect(dataset.imageShape).toEqual([6, 8, 3]);
    expect(dataset.origin).toBe(root);
    expect(dataset.notes).toEqual([
      'skipped: 1 file of unsupported types: 1 txt; in red/',
      'skipped: 1 entry, hidden or system files: 1 .hidden.png; in red/',
    ]);
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

  it('uses train/ and test/ unchanged', async () => {
    await paint('train/red', red, 3);
    await paint('train/blue', blue, 2);
    await paint('test/red', red, 2);
    const { train, test, classes, notes } = await readFolder(root, { ...options, testShare: undefined });
    expect([train.count, test.count, classes]).toEqual([5, 2, ['blue', 'red']]);
    expect([...test.labels]).toEqual([1, 1]);
    expect(notes).toEqual(['train/ is used for training, test/ for testing', 'no images for testing of blue']);
    expect((await readFolder(root, options)).notes).toContain('data.testShare is not used: test/ is the test set');
    const { train: few } = await readFolder(root, { ...options, limit: 2 });
    expect(few.images).toEqual(train.images.slice(0, 2 * 144));
  });

  it('has one digest wherever it is, and another when a pixel, a name or the size changes', async () => {
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

  it('names its problem', async () => {
    const reading = () => readFolder(root, options);
    await expect(reading()).rejects.toThrow(
      /expected 2 to 256 class folders, or train\/ and test\/ with class folders, got 0/,
    );
    await paint('red', red, 3);
    await expect(reading()).rejects.toThrow('got one, red');
    await mkdir(join(root, 'blue'));
    await expect(reading()).rejects.toThrow(
      `expected PNG or JPEG files in each class folder, got none; ${join(root, 'blue')}; add`,
    );
    for (let k = 0; k < 23; k++) await writeFile(join(root, 'blue', `${k}.jpg`), 'no image');
    await expect(reading()).rejects.toThrow(
      /^read images: 23 files are unusable\n( {2}read image: expected a PNG or JPEG, got a file of another type; .*blue.*\n){20} {2}and 3 more$/,
    );
    await expect(readFolder(join(root, 'nowhere'), options)).rejects.toThrow('got no such file or directory (ENOENT)');
    await expect(readFolder(join(root, 'blue', '0.jpg'), options)).rejects.toThrow('got a file (ENOTDIR)');
    await expect(readFolder(root, { ...options, testShare: 1e-9 })).rejects.toThrow('none for test');
    await mkdir(join(root, 'test', 'green'), { recursive: true });
    await paint('train/red', red, 1);
    await paint('train/blue', blue, 1);
    await expect(reading()).rejects.toThrow(
      `expected the classes of train/ (blue, red), got others: green; ${join(root, 'test')}`,
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
