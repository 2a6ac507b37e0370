import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { JobError } from '../errors.js';

/** An image file and its class. */
export interface LabelledFile {
  /** As messages and hashes have it: relative to the folder, with `/`. */
  readonly path: string;
  /** Index of its class. */
  readonly label: number;
}

/** What an image folder holds, in the order in which it is used. */
export interface FolderFiles {
  /** Names of the class folders, sorted by code units, which no locale changes. */
  readonly classes: readonly string[];
  readonly train: readonly LabelledFile[];
  readonly test: readonly LabelledFile[];
  /** Files that are no images by their names. */
  readonly leftOut: number;
}

/** Labels are bytes. */
const mostClasses = 256;
const imageName = /\.(png|jpe?g)$/i;
const isHidden = (name: string) => name.startsWith('.');

/**
 * Lists a directory of class folders, or of `train/` and `test/` that hold these, with images at any depth below.
 * @param testShare - share of the images that are for testing, where there is no `test/`.
 * @throws JobError BAD_DATA
 */
export async function listFolder(root: string, testShare: number): Promise<FolderFiles> {
  const names = await foldersIn(root);
  const isSplit = names.includes('train') && names.includes('test');
  const classes = isSplit ? await foldersIn(join(root, 'train')) : names;
  checkClasses(root, classes);
  if (!isSplit) {
    const { files, leftOut } = await listClasses(root, '', classes);
    return { classes, ...splitByHash(files, testShare), leftOut };
  }
  await checkTestClasses(join(root, 'test'), classes);
  const train = await listClasses(root, 'train', classes);
  const test = await listClasses(root, 'test', classes);
  const [ordered, orderedTest] = [inHashOrder(train.files), inHashOrder(test.files)];
  return { classes, train: ordered, test: orderedTest, leftOut: train.leftOut + test.leftOut };
}

/**
 * Divides images into training and test by their paths alone, so that one more image moves no other from set to set.
 */
export function splitByHash(
  files: readonly LabelledFile[],
  testShare: number,
): { readonly train: LabelledFile[]; readonly test: LabelledFile[] } {
  const isTest = ({ path }: LabelledFile) => pathHash('split', path).readUInt32BE() < testShare * 2 ** 32;
  const ordered = inHashOrder(files);
  return { train: ordered.filter((file) => !isTest(file)), test: ordered.filter(isTest) };
}

/**
 * In the order of their paths' hashes: as good as shuffled, the same everywhere. Shards are equal runs of it, so each
 * has the classes mixed, and none has more than one image more than another.
 */
export function inHashOrder(files: readonly LabelledFile[]): LabelledFile[] {
  return files
    .map((file) => ({ file, hash: pathHash('order', file.path) }))
    .sort((a, b) => Buffer.compare(a.hash, b.hash))
    .map(({ file }) => file);
}

/** File systems differ in how they write accented letters. */
function pathHash(purpose: 'order' | 'split', path: string): Buffer {
  return createHash('sha256')
    .update(`${purpose}\n${path.normalize('NFC')}`)
    .digest();
}

async function listClasses(root: string, split: string, classes: readonly string[]) {
  const files: LabelledFile[] = [];
  let leftOut = 0;
  for (const [label, name] of classes.entries()) {
    const folder = join(root, split, name);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw badFolder(folder, 'a readable folder', error.message, error);
      },
    );
    const found = entries.filter((entry) => !entry.isDirectory() && !isHidden(entry.name));
    const images = found.filter((entry) => imageName.test(entry.name));
    leftOut += found.length - images.length;
    if (images.length === 0 && split !== 'test') throw badFolder(folder, 'PNG or JPEG files', 'none');
    for (const { parentPath, name: file } of images) {
      files.push({ path: relative(root, join(parentPath, file)).replaceAll(sep, '/'), label });
    }
  }
  return { files, leftOut };
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: Error) => {
    throw badFolder(path, 'a directory of class folders', error.message, error);
  });
  const folders = entries.filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !isHidden(entry.name));
  return folders.map(({ name }) => name).sort();
}

function checkClasses(root: string, classes: readonly string[]): void {
  if (classes.length >= 2 && classes.length <= mostClasses) return;
  const found = classes.length === 1 ? `one, ${classes[0]}` : String(classes.length);
  throw badFolder(root, `2 to ${mostClasses} class folders, or train/ and test/ with class folders`, found);
}

async function checkTestClasses(test: string, classes: readonly string[]): Promise<void> {
  const unknown = (await foldersIn(test)).filter((name) => !classes.includes(name));
  if (unknown.length > 0) throw badFolder(test, 'the classes of train/', `others too: ${unknown.join(', ')}`);
}

/** The error for a place that holds no image folder. */
export function badFolder(path: string, expected: string, got: string, cause?: unknown): JobError {
  return new JobError('BAD_DATA', `read image folder: expected ${expected}, got ${got}; ${path}; see docs/data.md`, {
    cause,
  });
}
