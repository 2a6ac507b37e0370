import { constants } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { JobError } from '../errors.js';
import type { ImageFormat } from '../image-format.js';
import type { Dataset, Split } from './dataset.js';
import { decodeImage } from './decode-image.js';
import { channelStatistics } from './explore.js';
import { badFolder, type LabelledFile, listFolder } from './folder-files.js';

export interface FolderOptions {
  readonly format: ImageFormat;
  /** Share of the images that are for testing, where there is no `test/`. */
  readonly testShare: number;
  /** Only so many images of each set. */
  readonly limit?: number | undefined;
}

/** Bad files that a message names. */
const namedFiles = 5;

/**
 * Reads a directory of class folders with PNG or JPEG images into memory, all in one size.
 *
 * Which images train and which test, and their order, depends on their paths alone; see `folder-files.ts`.
 * @throws JobError BAD_DATA that names folder or files.
 */
export async function readFolder(root: string, { format, testShare, limit }: FolderOptions): Promise<Dataset> {
  const { classes, leftOut, ...files } = await listFolder(root, testShare);
  for (const set of ['train', 'test'] as const) {
    if (files[set].length === 0)
      throw badFolder(root, `at least one image for each of training and test`, `none for ${set}`);
  }
  const train = await readSplit(root, files.train.slice(0, limit), format);
  const test = await readSplit(root, files.test.slice(0, limit), format);
  const others = leftOut === 0 ? '' : ` (${leftOut} other file(s) left out)`;
  return {
    name: 'folder',
    title: `${basename(root)} (image folder)`,
    origin: `${root}${others}`,
    synthetic: false,
    classes,
    imageShape: [format.height, format.width, format.channels],
    normalise: normalisation(train, format.channels),
    trainBatches: [train.count],
    train,
    test,
  };
}

/** Mean and deviation of the training pixels, in four digits; the deviation at least a grey level, as images may be plain. */
function normalisation(train: Split, channels: number): Dataset['normalise'] {
  const { mean, deviation } = channelStatistics(train, channels);
  const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
  return { mean: mean.map(rounded), deviation: deviation.map((value) => Math.max(rounded(value), 0.004)) };
}

async function readSplit(root: string, files: readonly LabelledFile[], format: ImageFormat): Promise<Split> {
  const imageBytes = format.height * format.width * format.channels;
  checkSize(files.length, imageBytes);
  const images = new Uint8Array(files.length * imageBytes);
  const labels = Uint8Array.from(files, ({ label }) => label);
  const problems = new Map<number, JobError>();
  const read = async ({ path }: LabelledFile, i: number) => {
    try {
      images.set(await decodeFile(root, path, format), i * imageBytes);
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      problems.set(i, error);
    }
  };
  await forEachAtOnce(files, availableParallelism() + 1, read);
  if (problems.size > 0) throw badFiles(files.flatMap((_, i) => problems.get(i) ?? []));
  return { count: files.length, images, labels };
}

async function decodeFile(root: string, path: string, format: ImageFormat): Promise<Uint8Array> {
  const name = join(root, path);
  const bytes = await readFile(name).catch((cause: Error) => {
    throw new JobError('BAD_DATA', `read image: expected a readable file, got ${cause.message}`, { cause });
  });
  return decodeImage(bytes, name, format);
}

/** Calls `action` for every item, at most `atOnce` calls at a time. */
async function forEachAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  action: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries();
  const runner = async () => {
    for (const [i, item] of entries) await action(item, i);
  };
  await Promise.all(Array.from({ length: atOnce }, runner));
}

function checkSize(count: number, imageBytes: number): void {
  if (count * imageBytes <= constants.MAX_LENGTH) return;
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new JobError(
    'BAD_SPEC',
    `read image folder: expected at most ${gigabytes(constants.MAX_LENGTH)} GB of pixels, got ` +
      `${gigabytes(count * imageBytes)} GB of ${count} images; set a smaller data.image or data.limit`,
  );
}

function badFiles(problems: readonly JobError[]): JobError {
  if (problems.length === 1) return problems[0]!;
  const named = problems.slice(0, namedFiles).map(({ message }) => `  ${message}`);
  const more = problems.length > namedFiles ? [`  and ${problems.length - namedFiles} more`] : [];
  const lines = [...named, ...more].join('\n');
  return new JobError('BAD_DATA', `read image folder: ${problems.length} files cannot be used\n${lines}`);
}
