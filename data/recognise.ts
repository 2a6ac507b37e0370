import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describeFailure } from './read-errors.js';
import { ARCHIVE_NAME, BATCH_FILES } from './cifar10-format.js';
import { entriesOf } from './folder-entries.js';

/** Description of unexpected data, and advice. */
export interface Recognised {
  readonly found: string;
  readonly advice: string;
}

const wantBinary =
  `the binary version is required: ${ARCHIVE_NAME} from https://www.cs.toronto.edu/~kriz/cifar.html, ` +
  'or run: lockstep data download; pass it with --data, or set LOCKSTEP_DATA';

const otherVersions: readonly { readonly pattern: RegExp; readonly found: string }[] = [
  { pattern: /^(cifar-10-batches-py|cifar-10-python\.tar\.gz|data_batch_[1-5])$/, found: "CIFAR-10's Python version" },
  {
    pattern: /^(cifar-10-batches-mat|cifar-10-matlab\.tar\.gz|data_batch_[1-5]\.mat)$/,
    found: "CIFAR-10's MATLAB version",
  },
  { pattern: /^(cifar-100-.*|fine_label_names\.txt)$/, found: 'CIFAR-100' },
];

/** Recognises another version of CIFAR by the names of its files; undefined if it isn't one. */
export function recogniseVersion(names: readonly string[]): Recognised | undefined {
  if (names.some((name) => BATCH_FILES.includes(name))) return undefined;
  const version = otherVersions.find(({ pattern }) => names.some((name) => pattern.test(name)));
  return version && { found: version.found, advice: wantBinary };
}

/** Describes the contents of a path where CIFAR-10 was expected. */
export async function recognise(path: string): Promise<Recognised> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (info instanceof Error)
    return { found: describeFailure(info), advice: 'pass the directory or archive of CIFAR-10' };
  if (info.isDirectory()) return recogniseFolder(path);
  const version = recogniseVersion([basename(path)]);
  if (version) return version;
  const isArchive = /\.(zip|tar|7z|rar|gz|bz2|xz|zst)$/i.test(path);
  const advice = isArchive
    ? 'unpack it and pass the directory, or pass the .tar.gz'
    : 'pass the directory that contains it';
  return { found: isArchive ? 'an archive of another type' : 'a single file', advice };
}

async function recogniseFolder(path: string): Promise<Recognised> {
  const { folders, images, others } = await entriesOf(path);
  const names = [...folders.map(({ name }) => name), ...images, ...others.map(({ name }) => name)];
  const version = recogniseVersion(names);
  if (version) return version;
  if (names.length === 0) return { found: 'an empty folder', advice: 'pass the directory or archive of CIFAR-10' };
  if (await holdsImages(path, 3)) {
    const found = folders.length === 0 ? 'images' : `folders of images (${some(folders.map(({ name }) => name))})`;
    return {
      found,
      advice: 'to train on class folders, add --set data.dataset=folder (lockstep data info: --folder DIR)',
    };
  }
  return { found: `a folder of other files (${some(names)})`, advice: 'pass the directory or archive of CIFAR-10' };
}

/** True if there is an image at most `depth` folders below. */
async function holdsImages(path: string, depth: number): Promise<boolean> {
  const { folders, images } = await entriesOf(path).catch(() => ({ folders: [], images: [] }));
  if (images.length > 0) return true;
  if (depth === 0) return false;
  for (const { name } of folders) if (await holdsImages(join(path, name), depth - 1)) return true;
  return false;
}

function some(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');
}
