import { constants } from 'node:buffer';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import pMap from 'p-map';
import { JobError } from '../job/errors.js';
import type { ImageFormat } from '../job/image-format.js';
import { badFolder, describeFailure, isPermanent } from './read-errors.js';
import type { Dataset, Split } from './dataset.js';
import { badImages, decodeImage, readImageFile } from './decode-image.js';
import { channelStatistics } from './explore.js';
import { type FolderFiles, listFolder } from './folder-files.js';
import { listNames } from './folder-layout.js';
import type { LabelledFile } from './folder-order.js';

export interface FolderOptions {
  readonly format: ImageFormat;
  /** Share of images for testing if there is no `test/`; default: 0.2. */
  readonly testShare?: number | undefined;
  /** Images of each set to use; default: all. */
  readonly limit?: number | undefined;
}

/**
 * Reads a directory of class folders with PNG or JPEG images into memory, resized to one format.
 *
 * The split into training and test set and the order of images depend on the paths alone; see `folder-order.ts`.
 * @throws JobError BAD_DATA that names folder or files.
 */
export async function readFolder(root: string, options: FolderOptions): Promise<Dataset> {
  return readListed(root, await findImages(root, options), options);
}

/** Lists the images for `readListed` to read. @throws JobError BAD_DATA, BAD_SPEC */
export async function findImages(root: string, { format, testShare, limit }: FolderOptions): Promise<FolderFiles> {
  const listed = await listFolder(root, testShare);
  for (const set of ['train', 'test'] as const) {
    if (listed[set].length > 0) continue;
    const got = [`none for ${set}`, ...listed.notes].join('; ');
    const advice = 'add images, or set data.testShare';
    throw badFolder(root, 'at least one image for each of training and test', got, { advice });
  }
  const [train, test] = [listed.train.slice(0, limit), listed.test.slice(0, limit)];
  for (const set of [train, test]) checkSize(set.length, bytesOf(format));
  const missing = [
    ...missingClasses(listed.classes, train, 'training'),
    ...missingClasses(listed.classes, test, 'testing'),
  ];
  return { ...listed, train, test, notes: [...listed.notes, ...missing] };
}

/** Note that lists the classes without images in a set, if any. */
function missingClasses(classes: readonly string[], files: readonly LabelledFile[], purpose: string): string[] {
  const present = new Set(files.map(({ label }) => label));
  const missing = classes.filter((_, label) => !present.has(label));
  return missing.length === 0 ? [] : [`no images for ${purpose} of ${listNames(missing)}`];
}

/** Reads the images listed by `findImages`. @throws JobError BAD_DATA that names all unusable files. */
export async function readListed(root: string, files: FolderFiles, { format }: FolderOptions): Promise<Dataset> {
  const { base, classes, notes } = files;
  const all = [...files.train, ...files.test];
  const images = [files.train, files.test].map(({ length }) => new Uint8Array(length * bytesOf(format)));
  await decodeAll(base, all, format, (i, pixels) => {
    const inTrain = i < files.train.length;
    images[inTrain ? 0 : 1]!.set(pixels, (inTrain ? i : i - files.train.length) * pixels.length);
  });
  const [train, test] = [files.train, files.test].map((set, k) => splitOf(set, images[k]!)) as [Split, Split];
  return {
    name: 'folder',
    title: `${basename(root)} (image folder)`,
    origin: base,
    notes,
    synthetic: false,
    classes,
    imageShape: [format.height, format.width, format.channels],
    normalise: normalisation(train, format.channels),
    trainBatches: [train.count],
    train,
    test,
  };
}

function splitOf(files: readonly LabelledFile[], images: Uint8Array): Split {
  return { count: files.length, images, labels: Uint8Array.from(files, ({ label }) => label) };
}

function bytesOf({ height, width, channels }: ImageFormat): number {
  return height * width * channels;
}

/** Mean and deviation of the training pixels, to four decimals. The deviation is at least 0.004, for uniform images. */
function normalisation(train: Split, channels: number): Dataset['normalise'] {
  const { mean, deviation } = channelStatistics(train, channels);
  const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
  return { mean: mean.map(rounded), deviation: deviation.map((value) => Math.max(rounded(value), 0.004)) };
}

/** Concurrent decodes. The decoder has four threads, unless UV_THREADPOOL_SIZE sets another number. */
const maxAtOnce = 8;

/**
 * Decodes files, several at a time. Failed files are decoded again one by one, because concurrent decodes share one
 * buffer for messages.
 * @throws JobError BAD_DATA that lists all unusable files.
 */
async function decodeAll(
  base: string,
  files: readonly LabelledFile[],
  format: ImageFormat,
  onPixels: (index: number, pixels: Uint8Array) => void,
): Promise<void> {
  const decode = async (i: number) => {
    try {
      onPixels(i, await decodeFile(base, files[i]!.path, format));
      return undefined;
    } catch (error) {
      if (error instanceof JobError) return error;
      throw error;
    }
  };
  const failed: number[] = [];
  const concurrency = Math.min(availableParallelism() + 1, maxAtOnce);
  await pMap(
    files,
    async (_, i) => {
      if ((await decode(i)) !== undefined) failed.push(i);
    },
    { concurrency },
  );
  const problems: JobError[] = [];
  for (const i of failed.sort((a, b) => (files[a]!.path < files[b]!.path ? -1 : 1))) {
    const problem = await decode(i);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) throw badImages(problems);
}

async function decodeFile(base: string, path: string, format: ImageFormat): Promise<Uint8Array> {
  const name = join(base, path);
  const bytes = await readImageFile(name).catch((cause: NodeJS.ErrnoException) => {
    if (cause instanceof JobError || !isPermanent(cause)) throw cause;
    const message = `read image: expected a readable file, got ${describeFailure(cause)}; ${name}; make it readable or remove it`;
    throw new JobError('BAD_DATA', message, { cause });
  });
  return decodeImage(bytes, name, format);
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
