import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readFolder } from '../../data/folder.js';
import { datasetDigest } from '../../data/chunks.js';
import { blue, emptyFolder, format, options, paintClass, red } from './folder-builder.js';

let root: string;
beforeEach(async () => {
  root = await emptyFolder();
});

const paint = (folder: string, color: readonly number[], count: number) => paintClass(join(root, folder), color, count);

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
      'not used: valid/, test/ is the test set',
    ]);
  });

  it('may be in a folder that holds nothing else', async () => {
    const { counts, notes } = await sizes(['download/train', 'download/val']);
    expect(counts).toEqual([8, 6]);
    expect(notes![0]).toBe('reading images from download/');
  });

  it('are the same data wherever they are', async () => {
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

  it('that are one folder are refused', async () => {
    await paint('train/red', red, 2);
    await paint('train/blue', blue, 2);
    await symlink('train', join(root, 'test'));
    await expect(readFolder(root, options)).rejects.toThrow(
      /got none for test; .*2 symbolic links to folders already read: test\/blue, test\/red/,
    );
  });

  it('within classes are refused', async () => {
    for (const name of ['red/train', 'red/val', 'blue/train', 'blue/val']) await paint(name, red, 2);
    await expect(readFolder(root, options)).rejects.toThrow(
      `expected images of one class, got train/ and val/, which look like sets; ${join(root, 'blue')}; ` +
        'sort the images into train/CLASS/ and test/CLASS/, or rename these folders',
    );
  });

  it('for testing alone are refused', async () => {
    await paint('test/red', red, 2);
    await paint('test/blue', blue, 2);
    await expect(readFolder(root, options)).rejects.toThrow('test/, which looks like a set without one for training');
  });
});
