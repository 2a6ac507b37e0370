import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { badFolder } from './read-errors.js';
import { BATCH_FILES } from './cifar10-format.js';
import { type FolderEntries, entriesOf } from './folder-entries.js';
import { decideLayout, type Layout } from './folder-layout.js';
import { inHashOrder, type LabelledFile, splitByHash } from './folder-order.js';
import { describeSkipped, type Skipped } from './skipped.js';
import { outsideClasses, scanClasses } from './scan-classes.js';
import { roleOf } from './set-names.js';

/** Files of an image folder, in sample order. */
export interface FolderFiles {
  /** Folder that the paths are relative to: the given one, or the only one in it. */
  readonly base: string;
  /** Names of the class folders in Unicode's NFC, sorted by code units, independent of the locale. */
  readonly classes: readonly string[];
  readonly train: readonly LabelledFile[];
  readonly test: readonly LabelledFile[];
  /** Use of each folder, and unused files; one line each. */
  readonly notes: readonly string[];
}

/** Labels are bytes. */
const maxClasses = 256;
/** Share of images for testing. */
const defaultTestShare = 0.2;
/** Limit of nested folders without other contents, as in some unpacked archives. */
const maxWrappers = 3;

/**
 * Lists a directory of class folders, or of a training and a test folder with class folders, with images at any depth.
 * If the directory contains only one folder, that folder is listed instead.
 * @param testShare - share of images for testing, used if there is no test folder.
 * @throws JobError BAD_DATA
 */
export async function listFolder(root: string, testShare?: number): Promise<FolderFiles> {
  const found = await unwrap(root, '', (name) => ['test', 'validation'].includes(roleOf(name) ?? ''));
  const base = join(root, found.path);
  const layout = await layoutOf(base, found.entries);
  const place = { base, seen: new Set([await realpath(root), await realpath(base)]), skipped: found.skipped };
  const files =
    layout.kind === 'classes'
      ? await listUndivided(place, found.entries, testShare)
      : await listSets(place, found.entries, layout, testShare);
  const notes = [...(found.path === '' ? [] : [`reading images from ${found.path}/`]), ...files.notes];
  return { base, ...files, notes: [...notes, ...describeSkipped(place.skipped)] };
}

/** State of one listing; `seen` and `skipped` are appended to. */
interface Place {
  readonly base: string;
  readonly seen: Set<string>;
  readonly skipped: Skipped[];
}

type Listed = Omit<FolderFiles, 'base'>;

async function listUndivided(place: Place, entries: FolderEntries, testShare = defaultTestShare): Promise<Listed> {
  checkClasses(place.base, entries);
  const classes = classesOf(entries);
  const set = { path: '', entries };
  const files = await listClasses(place, set, classes);
  checkEveryClass(place, set, classes, files);
  return { classes, ...splitByHash(files, testShare), notes: [] };
}

async function listSets(
  place: Place,
  entries: FolderEntries,
  layout: Extract<Layout, { kind: 'sets' }>,
  testShare: number | undefined,
): Promise<Listed> {
  const train = await unwrap(place.base, layout.train, () => false);
  checkClasses(join(place.base, train.path), train.entries);
  const classes = classesOf(train.entries);
  const test = await unwrap(place.base, layout.test, (name) => classes.includes(name.normalize('NFC')));
  checkTestClasses(join(place.base, test.path), classesOf(test.entries), train.path, classes);
  place.skipped.push(...outsideClasses('', entries), ...train.skipped, ...test.skipped);
  const training = await listClasses(place, train, classes);
  checkEveryClass(place, train, classes, training);
  const testing = await listClasses(place, test, classes);
  const notes = [
    `${train.path}/ is used for training, ${test.path}/ for testing`,
    ...layout.notUsed.map(({ name, reason }) => `not used: ${name}/, ${reason}`),
    ...(testShare === undefined ? [] : [`data.testShare is not used: ${test.path}/ is the test set`]),
  ];
  return { classes, train: inHashOrder(training), test: inHashOrder(testing), notes };
}

/** Names of class folders in NFC, because file systems encode accented letters differently. */
function classesOf({ folders }: FolderEntries): string[] {
  return folders.map(({ name }) => name.normalize('NFC')).sort();
}

/** Lists the images of a set, or of a folder without sets. */
async function listClasses(
  { base, seen, skipped }: Place,
  { path, entries }: Pick<Found, 'path' | 'entries'>,
  classes: readonly string[],
): Promise<LabelledFile[]> {
  seen.add(await realpath(join(base, path)));
  skipped.push(...outsideClasses(path, entries));
  const folders = entries.folders.map(({ name, isLink }) => {
    return { path: under(path, name), label: classes.indexOf(name.normalize('NFC')), isLink };
  });
  const scanned = await scanClasses(base, folders, seen);
  skipped.push(...scanned.skipped);
  return scanned.files;
}

function under(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

/** A folder that contains class folders or sets. */
interface Found {
  /** Relative to the start of the search, with `/`. */
  readonly path: string;
  readonly entries: FolderEntries;
  /** Entries skipped in the folders around it. */
  readonly skipped: Skipped[];
}

/** Enters folders that contain only one folder of folders. @param isEnd - true for names not to be entered. */
async function unwrap(root: string, start: string, isEnd: (name: string) => boolean): Promise<Found> {
  let path = start;
  let entries = await entriesOf(join(root, path));
  const skipped: Skipped[] = [];
  for (let depth = 0; depth < maxWrappers; depth++) {
    const [only, ...rest] = entries.folders;
    if (only === undefined || rest.length > 0 || entries.images.length > 0 || isEnd(only.name)) break;
    const below = under(path, only.name);
    const inner = await entriesOf(join(root, below));
    if (inner.folders.length === 0 || inner.images.length > 0) break;
    skipped.push(...outsideClasses(path, entries));
    [path, entries] = [below, inner];
  }
  return { path, entries, skipped };
}

async function layoutOf(base: string, { folders }: FolderEntries): Promise<Exclude<Layout, { kind: 'unclear' }>> {
  if (folders.every(({ name }) => roleOf(name) === undefined)) return { kind: 'classes' };
  const candidates = await Promise.all(
    folders.map(async ({ name }) => {
      const inner = await entriesOf(join(base, name));
      return { name, hasFolders: inner.folders.length > 0, hasImages: inner.images.length > 0 };
    }),
  );
  const layout = decideLayout(candidates);
  if (layout.kind !== 'unclear') return layout;
  const expected = 'class folders, or a training and a test folder with class folders';
  throw badFolder(base, expected, layout.found, { advice: layout.advice });
}

function checkClasses(folder: string, entries: FolderEntries): void {
  const { images, others } = entries;
  const classes = classesOf(entries);
  const twice = classes.find((name, k) => name === classes[k - 1]);
  if (twice !== undefined) {
    throw badFolder(folder, 'one folder per class', `two named ${twice} with differently encoded accents`, {
      advice: 'merge them',
    });
  }
  if (classes.length >= 2 && classes.length <= maxClasses) return;
  const names = classes.length === 1 ? `one, ${classes[0]}` : String(classes.length);
  const loose = images.length === 0 ? '' : ` and ${images.length} images outside class folders`;
  const isCifar = others.some(({ name }) => BATCH_FILES.includes(name));
  const expected = `2 to ${maxClasses} class folders, or train/ and test/ with class folders`;
  throw badFolder(folder, expected, isCifar ? "CIFAR-10's files" : names + loose, {
    advice: isCifar ? 'remove data.dataset: folder' : 'sort the images into one folder per class',
  });
}

/** Checks that every class has images. @throws JobError BAD_DATA that lists all class folders without images. */
function checkEveryClass(
  { base, skipped }: Place,
  { path: set, entries: { folders } }: Pick<Found, 'path' | 'entries'>,
  classes: readonly string[],
  files: readonly LabelledFile[],
): void {
  const present = new Set(files.map(({ label }) => classes[label]!));
  const empty = folders.filter(({ name }) => !present.has(name.normalize('NFC'))).map(({ name }) => under(set, name));
  if (empty.length === 0) return;
  const inEmpty = skipped.filter(({ folder }) => folder !== undefined && empty.includes(folder));
  const got = ['none', ...describeSkipped(inEmpty)].join('; ');
  const places = empty.map((path) => join(base, path)).join(', ');
  const advice = 'add images or remove the folders';
  throw badFolder(places, 'PNG or JPEG files in each class folder', got, { advice });
}

function checkTestClasses(folder: string, found: readonly string[], train: string, classes: readonly string[]): void {
  const unknown = found.filter((name) => !classes.includes(name));
  if (unknown.length === 0) return;
  const expected = `the classes of ${train}/ (${some(classes)})`;
  const advice = 'use the same class names in both, or move the others elsewhere';
  throw badFolder(folder, expected, `others: ${some(unknown)}`, { advice });
}

function some(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ');
}
