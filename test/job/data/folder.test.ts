import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFolder } from '../../../job/data/folder.js';
import { inHashOrder, splitByHash } from '../../../job/data/folder-order.js';
import { openDataset } from '../../../job/data/index.js';
import { datasetDigest } from '../../../job/data/parts.js';
import { shardRange } from '../../../job/shards.js';
import { encodeImage, hue, paintFile } from './image-files.js';

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
    expect(dataset.origin).toBe(root);
    expect(dataset.notes).toEqual([
      'left out: 1 file of kinds that are not decoded: 1 txt; in red/',
      "left out: 1 entry, hidden or the system's own: 1 .hidden.png; in red/",
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

  it('takes train/ and test/ as they are', async () => {
    await paint('train/red', red, 3);
    await paint('train/blue', blue, 2);
    await paint('test/red', red, 2);
    const { train, test, classes, notes } = await readFolder(root, { ...options, testShare: undefined });
    expect([train.count, test.count, classes]).toEqual([5, 2, ['blue', 'red']]);
    expect([...test.labels]).toEqual([1, 1]);
    expect(notes).toEqual(['train/ is used for training, test/ for testing', 'no images for testing of blue']);
    expect((await readFolder(root, options)).notes).toContain(
      'data.testShare is not used: test/ is the set for testing',
    );
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
    await expect(reading()).rejects.toThrow(
      `expected PNG or JPEG files in each class folder, got none; ${join(root, 'blue')}; add`,
    );
    for (let k = 0; k < 23; k++) await writeFile(join(root, 'blue', `${k}.jpg`), 'no image');
    await expect(reading()).rejects.toThrow(
      /^read images: 23 files cannot be used\n( {2}read image: expected a PNG or JPEG, got another kind of file; .*blue.*\n){20} {2}and 3 more$/,
    );
    await expect(readFolder(join(root, 'nowhere'), options)).rejects.toThrow('got nothing there (ENOENT)');
    await expect(readFolder(join(root, 'blue', '0.jpg'), options)).rejects.toThrow('got a file (ENOTDIR)');
    await expect(readFolder(root, { ...options, testShare: 1e-9 })).rejects.toThrow('none for test');
    await mkdir(join(root, 'test', 'green'), { recursive: true });
    await paint('train/red', red, 1);
    await paint('train/blue', blue, 1);
    await expect(reading()).rejects.toThrow(
      `expected the classes of train/ (blue, red), got others too: green; ${join(root, 'test')}`,
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

describe('sets of an image folder', () => {
  const sizes = async (names: readonly string[]) => {
    for (const [k, name] of names.entries()) {
      await paint(`${name}/red`, red, 4 - k);
      await paint(`${name}/blue`, blue, 4 - k);
    }
    const { train, test, classes, notes } = await readFolder(root, { format });
    expect(classes).toEqual(['blue', 'red']);
    return { counts: [train.count, test.count], notes };
  };

  it.each([
    [['train', 'val'], 'train/ is used for training, val/ for testing'],
    [['Train', 'Test'], 'Train/ is used for training, Test/ for testing'],
    [['training_set', 'test_set'], 'training_set/ is used for training, test_set/ for testing'],
    [['seg_train/seg_train', 'seg_test/seg_test'], 'seg_train/seg_train/ is used for training, seg_test/seg_test/ for'],
  ])('are never classes: %j', async (names, note) => {
    const { counts, notes } = await sizes(names);
    expect(counts).toEqual([8, 6]);
    expect(notes).toHaveLength(1);
    expect(notes![0]).toContain(note);
  });

  it('may be three, of which the one for validation is not read', async () => {
    const { counts, notes } = await sizes(['train', 'test', 'valid']);
    expect(counts).toEqual([8, 6]);
    expect(notes).toEqual([
      'train/ is used for training, test/ for testing',
      'not read: valid/, test/ is the one for testing',
    ]);
  });

  it('may lie in a folder that holds nothing else', async () => {
    const { counts, notes } = await sizes(['download/train', 'download/val']);
    expect(counts).toEqual([8, 6]);
    expect(notes![0]).toBe('images are read from download/');
  });

  it('are the same data wherever they lie', async () => {
    await sizes(['download/train', 'download/val']);
    const digest = async (place: string) => datasetDigest(await readFolder(place, { format }));
    expect(await digest(root)).toBe(await digest(join(root, 'download')));
  });

  it('without class folders are refused with what to do', async () => {
    await paint('train', red, 2);
    await paint('test1', blue, 2);
    await expect(readFolder(root, options)).rejects.toThrow(
      `got test1/ and train/, which look like sets without class folders in test1/ and train/; ${root}; ` +
        'sort the images of test1/ and train/ into class folders (test1/CLASS/…), or rename the folders if they are classes',
    );
  });

  it('for testing alone are refused', async () => {
    await paint('test/red', red, 2);
    await paint('test/blue', blue, 2);
    await expect(readFolder(root, options)).rejects.toThrow('test/, which looks like a set without one for training');
  });
});

describe('in an image folder', () => {
  it('hidden folders and what systems leave there are not read, and counted', async () => {
    await paint('red', red, 6);
    await paint('blue', blue, 6);
    for (const junk of ['red/.ipynb_checkpoints', 'blue/@eaDir/large', '__MACOSX/red', '.thumbnails']) {
      await paint(junk, red, 1);
    }
    await writeFile(join(root, 'red', 'Thumbs.db'), '');
    const { classes, train, test, notes } = await readFolder(root, options);
    expect([classes, train.count + test.count]).toEqual([['blue', 'red'], 12]);
    expect(notes).toContain(
      "left out: 5 entries, hidden or the system's own: 1 .ipynb_checkpoints/, 1 .thumbnails/, 1 @eaDir/, " +
        '1 Thumbs.db, 1 __MACOSX/; in blue/, red/',
    );
  });

  it('files of other kinds and outside class folders are counted', async () => {
    await paint('red', red, 4);
    await paint('blue', blue, 4);
    await paint('.', blue, 1);
    for (const name of ['red/a.webp', 'red/b.WEBP', 'blue/c.gif', 'blue/LICENSE', 'labels.csv']) {
      await writeFile(join(root, name), '');
    }
    const { notes } = await readFolder(root, options);
    expect(notes).toEqual([
      'left out: 4 files of kinds that are not decoded: 2 webp, 1 gif, 1 without an ending; in blue/, red/',
      'left out: 2 entries outside class folders: 0.png, labels.csv',
    ]);
  });

  it('a class of which a set gets no images is named', async () => {
    await paint('red', red, 9);
    await paint('blue', blue, 1);
    const { train, test, notes } = await readFolder(root, options);
    const counts = [train, test].map(({ labels }) => labels.filter((label) => label === 0).length);
    expect(counts[0]! + counts[1]!).toBe(1);
    expect(notes).toEqual([`no images for ${counts[0] === 0 ? 'training' : 'testing'} of blue`]);
  });

  it('bad files of training and test are named together, with the decoder’s reason each time', async () => {
    await paint('train/red', red, 3);
    await paint('train/blue', blue, 3);
    await paint('test/red', red, 2);
    const whole = await encodeImage('a.jpg', { width: 64, height: 64, paint: (x, y) => [x * y, x + y, x ^ y] });
    const cut = ['test/red/cut.jpg', ...[0, 1, 2, 3, 4].map((k) => `train/blue/cut${k}.jpg`)];
    for (const name of cut) await writeFile(join(root, name), whole.subarray(0, whole.length / 2));
    await writeFile(join(root, 'train', 'red', 'empty.png'), '');
    const message = await readFolder(root, options).catch((error: Error) => error.message);
    const damaged = 'read image: expected a PNG or JPEG, got a damaged one (VipsJpeg: premature end of JPEG image)';
    const lines = [
      ...cut.map((name) => `  ${damaged}; ${join(root, name)}; replace or remove the file`),
      `  read image: expected a PNG or JPEG, got an empty file; ${join(root, 'train/red/empty.png')}; replace or remove the file`,
    ];
    expect(message).toBe(['read images: 7 files cannot be used', ...lines].join('\n'));
  });

  it('CIFAR-10’s own files are recognised', async () => {
    await writeFile(join(root, 'data_batch_1.bin'), '');
    await expect(readFolder(root, options)).rejects.toThrow("got CIFAR-10's files");
  });
});

describe('links in an image folder', () => {
  it('to files, folders and classes are followed', async () => {
    await paint('elsewhere/more', red, 2);
    await paint('elsewhere/green', [20, 180, 20], 3);
    await paint('images/red', red, 3);
    await paint('images/blue', blue, 3);
    await symlink('../../elsewhere/more', join(root, 'images/red/linked'));
    await symlink('../../elsewhere/green/0.png', join(root, 'images/blue/linked.png'));
    await symlink('../elsewhere/green', join(root, 'images/green'));
    const { classes, train, test, notes } = await readFolder(join(root, 'images'), options);
    const labels = [...train.labels, ...test.labels];
    expect(classes).toEqual(['blue', 'green', 'red']);
    expect([0, 1, 2].map((label) => labels.filter((own) => own === label).length)).toEqual([4, 3, 5]);
    expect(notes!.filter((note) => note.startsWith('left out'))).toEqual([]);
  });

  it('that are broken, lead in a circle or to what is read already are named; other things are not opened', async () => {
    await paint('red', red, 4);
    await paint('blue', blue, 4);
    await symlink('nowhere.png', join(root, 'red/broken.png'));
    await symlink('self', join(root, 'red/self'));
    await symlink('..', join(root, 'red/root'));
    await symlink('../blue', join(root, 'red/other'));
    await symlink('.', join(root, 'blue/again'));
    await symlink('red', join(root, 'alias'));
    execFileSync('mkfifo', [join(root, 'blue/pipe.png')]);
    const reading = readFolder(root, options);
    await expect(reading).rejects.toThrow(
      `got none; left out: 1 symbolic link to folders that are read already: alias; in alias/; ${join(root, 'alias')}; ` +
        'add images or remove the folders',
    );
    await rm(join(root, 'alias'));
    const { train, test, notes } = await readFolder(root, options);
    expect(train.count + test.count).toBe(8);
    expect(notes).toEqual([
      'left out: 1 entry, neither files nor folders: blue/pipe.png; in blue/',
      'left out: 2 broken symbolic links: red/broken.png, red/self; in red/',
      'left out: 3 symbolic links to folders that are read already: blue/again, red/other, red/root; in blue/, red/',
    ]);
  });

  it('among thousands that lead to each other end', async () => {
    const names = Array.from({ length: 12 }, (_, k) => `c${k}`);
    for (const name of names) await paint(name, red, 2);
    for (const name of names) for (const other of names) await symlink(`../${other}`, join(root, name, `to-${other}`));
    const { train, test, notes } = await readFolder(root, options);
    expect(train.count + test.count).toBe(24);
    expect(notes!.join()).toContain('144 symbolic links to folders that are read already');
  });
});

describe('names in an image folder', () => {
  it('may hold spaces, quotes, other scripts and control characters', async () => {
    for (const name of ['new york', "l'été", '猫', '#1 & "2"', 'a\tb']) await paint(`${name}/- %s;x`, red, 3);
    const { classes, train, test } = await readFolder(root, options);
    expect(classes).toEqual(['#1 & "2"', 'a\tb', "l'été", 'new york', '猫']);
    expect(train.count + test.count).toBe(15);
  });

  it.skipIf(process.platform !== 'linux')('that are no text are refused, not skipped', async () => {
    await paint('red', red, 3);
    await paint('blue', blue, 3);
    await writeFile(Buffer.concat([Buffer.from(join(root, 'red/')), Buffer.from([0xff]), Buffer.from('.png')]), '');
    await expect(readFolder(root, options)).rejects.toThrow('expected a readable file, got nothing there (ENOENT)');
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
