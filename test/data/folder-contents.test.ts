import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { readFolder } from '../../data/folder.js';
import { listFolder } from '../../data/folder-files.js';
import { blue, emptyFolder, options, paintClass, red } from './folder-builder.js';
import { encodeImage } from './image-files.js';

let root: string;
beforeEach(async () => {
  root = await emptyFolder();
});

const paint = (folder: string, color: readonly number[], count: number) => paintClass(join(root, folder), color, count);

describe('in an image folder', () => {
  it('hidden folders and files of the operating system are not read, and counted', async () => {
    await paint('red', red, 6);
    await paint('blue', blue, 6);
    for (const junk of ['red/.ipynb_checkpoints', 'blue/@eaDir/large', '__MACOSX/red', '.thumbnails']) {
      await paint(junk, red, 1);
    }
    await writeFile(join(root, 'red', 'Thumbs.db'), '');
    const { classes, train, test, notes } = await readFolder(root, options);
    expect([classes, train.count + test.count]).toEqual([['blue', 'red'], 12]);
    expect(notes).toContain(
      'skipped: 5 entries, hidden or system files: 1 .ipynb_checkpoints/, 1 .thumbnails/, 1 @eaDir/, ' +
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
      'skipped: 4 files of unsupported types: 2 webp, 1 gif, 1 without an extension; in blue/, red/',
      'skipped: 2 entries outside class folders: 0.png, labels.csv',
    ]);
  });

  it('a class without images in a set is named', async () => {
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
    expect(message).toBe(['read images: 7 files are unusable', ...lines].join('\n'));
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
    expect(notes!.filter((note) => note.startsWith('skipped'))).toEqual([]);
  });

  it('that are broken, circular or lead to something already read are named; other things are not opened', async () => {
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
      `got none; skipped: 1 symbolic link to folders already read: alias; in alias/; ${join(root, 'alias')}; ` +
        'add images or remove the folders',
    );
    await rm(join(root, 'alias'));
    const { train, test, notes } = await readFolder(root, options);
    expect(train.count + test.count).toBe(8);
    expect(notes).toEqual([
      'skipped: 1 entry, neither files nor folders: blue/pipe.png; in blue/',
      'skipped: 2 broken symbolic links: red/broken.png, red/self; in red/',
      'skipped: 3 symbolic links to folders already read: blue/again, red/other, red/root; in blue/, red/',
    ]);
  });

  it('among thousands that lead to each other end', async () => {
    const names = Array.from({ length: 12 }, (_, k) => `c${k}`);
    for (const name of names) await paint(name, red, 2);
    for (const name of names) for (const other of names) await symlink(`../${other}`, join(root, name, `to-${other}`));
    const { train, test, notes } = await readFolder(root, options);
    expect(train.count + test.count).toBe(24);
    expect(notes!.join()).toContain('144 symbolic links to folders already read');
  });
});

describe('names in an image folder', () => {
  it('may hold spaces, quotes, other scripts and control characters', async () => {
    for (const name of ['new york', "l'été", '猫', '#1 & "2"', 'a\tb']) await paint(`${name}/- %s;x`, red, 3);
    const { classes, train, test } = await readFolder(root, options);
    expect(classes).toEqual(['#1 & "2"', 'a\tb', "l'été", 'new york', '猫']);
    expect(train.count + test.count).toBe(15);
  });

  it('are the same in either Unicode form of accents, and rejected where both occur', async () => {
    const [composed, apart] = ['NFC', 'NFD'].map((form) => 'été'.normalize(form)) as [string, string];
    await paint(`train/${composed}`, red, 3);
    await paint('train/zoo', blue, 3);
    await paint(`test/${apart}`, red, 2);
    const { classes, test } = await readFolder(root, options);
    expect([classes, [...test.labels]]).toEqual([
      ['zoo', composed],
      [1, 1],
    ]);
    await paint(`train/${apart}`, red, 3);
    await expect(readFolder(root, options)).rejects.toThrow(
      `got two named ${composed} with differently encoded accents`,
    );
  });

  it.skipIf(process.platform !== 'linux')(
    'that are not valid text are rejected, not skipped (needs Linux)',
    async () => {
      await paint('red', red, 3);
      await paint('blue', blue, 3);
      await writeFile(Buffer.concat([Buffer.from(join(root, 'red/')), Buffer.from([0xff]), Buffer.from('.png')]), '');
      await expect(readFolder(root, options)).rejects.toThrow(
        'expected a readable file, got no such file or directory (ENOENT)',
      );
    },
  );
});

describe('everything in an image folder', () => {
  const kinds = ['image.png', 'text.txt', 'LICENSE', '.hidden.png', 'Thumbs.db', 'broken.jpg', 'up', 'sub/'] as const;
  const places = ['red', 'blue', 'red/a', 'blue/a/b', '.'] as const;
  // Folders next to the classes would be classes too, without images.
  const entry = fc
    .record({ place: fc.constantFrom(...places), kind: fc.constantFrom(...kinds) })
    .filter(({ place, kind }) => place !== '.' || (kind !== 'sub/' && kind !== 'up'));
  const entries = fc.uniqueArray(entry, { selector: ({ place, kind }) => `${place}/${kind}`, maxLength: 30 });

  it('is an image that is read, or is counted as skipped', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (list) => {
        const folder = await mkdtemp(join(root, 'tree-'));
        for (const place of places) await mkdir(join(folder, place), { recursive: true });
        for (const name of ['red', 'blue']) await writeFile(join(folder, name, 'first.jpg'), '');
        for (const { place, kind } of list) await makeEntry(join(folder, place), kind);
        const { train, test, notes } = await listFolder(folder);
        const skipped = notes.map((note) => Number(/^skipped: (\d+) /.exec(note)![1])).reduce((a, b) => a + b, 0);
        const made = list.filter(({ kind }) => kind !== 'sub/').length;
        expect(train.length + test.length + skipped).toBe(2 + made);
        const images = list.filter(({ place, kind }) => kind === 'image.png' && place !== '.').length;
        expect(train.length + test.length).toBe(2 + images);
      }),
      { numRuns: 40 },
    );
  });

  async function makeEntry(place: string, kind: (typeof kinds)[number]): Promise<void> {
    const path = join(place, kind);
    if (kind === 'sub/') return void (await mkdir(join(place, 'sub', 'inner'), { recursive: true }));
    if (kind === 'broken.jpg') return symlink('nowhere', path);
    if (kind === 'up') return symlink(join(place, '..', basename(place)), path);
    await writeFile(path, '');
  }
});
