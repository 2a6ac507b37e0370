import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { badFolder } from './bad-folder.js';
import { BATCH_FILES } from './cifar10-format.js';
import { type FolderEntries, entriesOf } from './folder-entries.js';
import { decideLayout, type Layout } from './folder-layout.js';
import { inHashOrder, type LabelledFile, splitByHash } from './folder-order.js';
import { describeLeftOut, type LeftOut } from './left-out.js';
import { outsideClasses, scanClasses } from './scan-classes.js';
import { roleOf } from './set-names.js';

/** What an image folder holds, in the order in which it is used. */
export interface FolderFiles {
  /** The folder that the paths are relative to: the given one, or the only one in it. */
  readonly base: string;
  /** Names of the class folders in Unicode's NFC, sorted by code units, independent of the locale. */
  readonly classes: readonly string[];
  readonly train: readonly LabelledFile[];
  readonly test: readonly LabelledFile[];
  /** Use of each folder, and files that aren't read; a line each. */
  readonly notes: readonly string[];
}

/** Labels are bytes. */
const mostClasses = 256;
/** Default share of images for testing. */
const usualTestShare = 0.2;
/** Most nested folders that hold nothing else, as some archives unpack to. */
const mostWrappers = 3;

/**
 * Lists a directory of class folders, or of a training and a test folder that hold class folders, with images at any
 * depth. If the directory holds nothing but one folder, that folder is listed instead.
 * @param testShare - share of images for testing, used if there is no folder for it.
 * @throws JobError BAD_DATA
 */
export async function listFolder(root: string, testShare?: number): Promise<FolderFiles> {
  const found = await unwrap(root, '', (name) => ['test', 'validation'].includes(roleOf(name) ?? ''));
  const base = join(root, found.path);
  const layout = await layoutOf(base, found.entries);
  const place = { base, seen: new Set([await realpath(root), await realpath(base)]), leftOut: found.leftOut };
  const files =
    layout.kind === 'classes'
      ? await listUndivided(place, found.entries, testShare)
      : await listSets(place, found.entries, layout, testShare);
  const notes = [...(found.path === '' ? [] : [`images are read from ${found.path}/`]), ...files.notes];
  return { base, ...files, notes: [...notes, ...describeLeftOut(place.leftOut)] };
}

/** State of one listing; `seen` and `leftOut` grow. */
interface Place {
  readonly base: string;
  readonly seen: Set<string>;
  readonly leftOut: LeftOut[];
}

type Listed = Omit<FolderFiles, 'base'>;

async function listUndivided(place: Place, entries: FolderEntries, testShare = usualTestShare): Promise<Listed> {
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
  place.leftOut.push(...outsideClasses('', entries), ...train.leftOut, ...test.leftOut);
  const training = await listClasses(place, train, classes);
  checkEveryClass(place, train, classes, training);
  const testing = await listClasses(place, test, classes);
  const notes = [
    `${train.path}/ is used for training, ${test.path}/ for testing`,
    ...layout.notRead.map(({ name, reason }) => `not read: ${name}/, ${reason}`),
    ...(testShare === undefined ? [] : [`data.testShare is not used: ${test.path}/ is the set for testing`]),
  ];
  return { classes, train: inHashOrder(training), test: inHashOrder(testing), notes };
}

/** Names of class folders, normalised, as file systems encode accented letters differently. */
function classesOf({ folders }: FolderEntries): string[] {
  return folders.map(({ name }) => name.normalize('NFC')).sort();
}

/** Lists the images of a set, or of a folder without sets. */
async function listClasses(
  { base, seen, leftOut }: Place,
  { path, entries }: Pick<Found, 'path' | 'entries'>,
  classes: readonly string[],
): Promise<LabelledFile[]> {
  seen.add(await realpath(join(base, path)));
  leftOut.push(...outsideClasses(path, entries));
  const folders = entries.folders.map(({ name, isLink }) => {
    return { path: under(path, name), label: classes.indexOf(name.normalize('NFC')), isLink };
  });
  const scanned = await scanClasses(base, folders, seen);
  leftOut.push(...scanned.leftOut);
  return scanned.files;
}

function under(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

/** A folder that holds class folders or sets. */
interface Found {
  /** Relative to the start of the search, with `/`. */
  readonly path: string;
  readonly entries: FolderEntries;
  /** Entries left out on the way there. */
  readonly leftOut: LeftOut[];
}

/** Enters folders that hold nothing but one folder of folders. @param isEnd - true for names that are not entered. */
async function unwrap(root: string, start: string, isEnd: (name: string) => boolean): Promise<Found> {
  let path = start;
  let entries = await entriesOf(join(root, path));
  const leftOut: LeftOut[] = [];
  for (let depth = 0; depth < mostWrappers; depth++) {
    const [only, ...rest] = entries.folders;
    if (only === undefined || rest.length > 0 || entries.images.length > 0 || isEnd(only.name)) break;
    const below = under(path, only.name);
    const inner = await entriesOf(join(root, below));
    if (inner.folders.length === 0 || inner.images.length > 0) break;
    leftOut.push(...outsideClasses(path, entries));
    [path, entries] = [below, inner];
  }
  return { path, entries, leftOut };
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
  const expected = 'class folders, or a folder for training and one for testing that hold class folders';
  throw badFolder(base, expected, layout.found, { advice: layout.advice });
}

function checkClasses(folder: string, entries: FolderEntries): void {
  const { images, others } = entries;
  const classes = classesOf(entries);
  const twice = classes.find((name, k) => name === classes[k - 1]);
  if (twice !== undefined) {
    throw badFolder(folder, 'one folder for each class', `${twice} twice, with accents written in two ways`);
  }
  if (classes.length >= 2 && classes.length <= mostClasses) return;
  const names = classes.length === 1 ? `one, ${classes[0]}` : String(classes.length);
  const loose = images.length === 0 ? '' : ` and ${images.length} images outside of any`;
  const isCifar = others.some(({ name }) => BATCH_FILES.includes(name));
  const expected = `2 to ${mostClasses} class folders, or train/ and test/ with class folders`;
  throw badFolder(folder, expected, isCifar ? "CIFAR-10's files" : names + loose, {
    advice: isCifar ? 'leave out data.dataset: folder' : 'sort the images into a folder for each class',
  });
}

/** @throws JobError BAD_DATA that lists all class folders without images. */
function checkEveryClass(
  { base, leftOut }: Place,
  { path: set, entries: { folders } }: Pick<Found, 'path' | 'entries'>,
  classes: readonly string[],
  files: readonly LabelledFile[],
): void {
  const present = new Set(files.map(({ label }) => classes[label]!));
  const empty = folders.filter(({ name }) => !present.has(name.normalize('NFC'))).map(({ name }) => under(set, name));
  if (empty.length === 0) return;
  const inEmpty = leftOut.filter(({ folder }) => folder !== undefined && empty.includes(folder));
  const got = ['none', ...describeLeftOut(inEmpty)].join('; ');
  const places = empty.map((path) => join(base, path)).join(', ');
  const advice = 'add images or remove the folders';
  throw badFolder(places, 'PNG or JPEG files in each class folder', got, { advice });
}

function checkTestClasses(folder: string, found: readonly string[], train: string, classes: readonly string[]): void {
  const unknown = found.filter((name) => !classes.includes(name));
  if (unknown.length === 0) return;
  const expected = `the classes of ${train}/ (${some(classes)})`;
  const advice = 'give classes the same names in both, or move the others elsewhere';
  throw badFolder(folder, expected, `others too: ${some(unknown)}`, { advice });
}

function some(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ');
}
