import { resolve } from 'node:path';
import { JobError } from '../job/errors.js';
import type { ReadOptions } from './cifar10.js';
import type { Dataset } from './dataset.js';
import type { FolderOptions } from './folder.js';
import type { InstallOptions } from './install.js';
import { cacheDirectory } from './cache-directory.js';
import { candidates, decideSource, type FoundData, inspect } from './locate.js';
import { limitDataset } from './limit.js';

export interface OpenOptions extends InstallOptions, ReadOptions {
  /** The spec's `data.dataset`. */
  readonly dataset: Dataset['name'];
  /** `--data` */
  readonly path?: string;
  /** For `folder`: where it is unless `path` says so, and what becomes of the images. */
  readonly folder?: FolderOptions & { readonly path?: string | undefined };
  /** `LOCKSTEP_DATA`, the place of CIFAR-10 */
  readonly envPath?: string;
  readonly cwd: string;
  /** Where downloads go; the platform's cache directory by default. */
  readonly cache?: string;
  /** Whether to download what is nowhere; true by default. */
  readonly download?: boolean;
  /** Whether the synthetic stand-in may take the place of CIFAR-10 that is nowhere to be had. The caller must say so. */
  readonly allowSynthetic?: boolean;
  /** The spec's `data.limit`: only the first images of each batch, this many. */
  readonly limit?: number;
  /** Seed of the synthetic images; not the job's seed, so that jobs of several seeds learn the same data. */
  readonly seed?: number;
}

/** Reads a dataset that has been found. */
export type ReadDataset = () => Promise<Dataset>;

/** Finds and reads a job's dataset; see `findDataset`. */
export async function openDataset(options: OpenOptions): Promise<Dataset> {
  return (await findDataset(options))();
}

/**
 * Finds a job's dataset without reading it. CIFAR-10: `--data`, else `LOCKSTEP_DATA`, else `./data` and the cache
 * directory, else the download, which starts on reading.
 *
 * A place that the user named is the only one. Data that is there but bad is an error, never a reason to look elsewhere.
 * @throws JobError NO_DATA says where it looked and what to do; BAD_DATA; BAD_OPTION. Reading it throws these and
 * DOWNLOAD_FAILED; none gives way to the stand-in, except that `allowSynthetic` replaces a failed download.
 */
export async function findDataset(options: OpenOptions): Promise<ReadDataset> {
  const { limit } = options;
  const read = await findWhole(options);
  return limit === undefined ? read : async () => limitDataset(await read(), limit);
}

async function findWhole(options: OpenOptions): Promise<ReadDataset> {
  if (options.path === '')
    throw new JobError('BAD_OPTION', '--data: expected a path, got none; leave it out, or name one');
  switch (options.dataset) {
    case 'folder':
      return findFolder(options);
    case 'cifar10':
      return findCifar10(options);
    case 'synthetic':
      return findSynthetic(options);
    default:
      return options.dataset satisfies never;
  }
}

function findSynthetic(options: OpenOptions): ReadDataset {
  if (options.path === undefined) return () => makeStandIn(options);
  throw new JobError(
    'BAD_OPTION',
    `--data: expected none with the synthetic stand-in, which is computed, got ${options.path}; ` +
      'leave it out, or set data.dataset to cifar10 or folder',
  );
}

/** Makes the synthetic dataset. Its libraries load here, as other kinds of data don't need them. */
async function makeStandIn({ limit, seed }: OpenOptions): Promise<Dataset> {
  const { makeSynthetic } = await import('./synthetic.js');
  const sizes = limit === undefined ? {} : { imagesPerBatch: limit, testImages: limit };
  return makeSynthetic({ ...sizes, ...(seed === undefined ? {} : { seed }) });
}

async function findFolder({ path, folder, cwd, limit }: OpenOptions): Promise<ReadDataset> {
  const place = path ?? folder?.path;
  if (place === undefined || folder === undefined) {
    throw new JobError(
      'NO_DATA',
      'open dataset: expected the directory of an image folder, got none; set data.path in the spec, or pass --data DIR',
    );
  }
  const { findImages, readListed } = await import('./folder.js');
  const root = resolve(cwd, place);
  const files = await findImages(root, { ...folder, limit });
  return () => readListed(root, files, folder);
}

/** Finds CIFAR-10. A wrong explicit location is an error at once; a download starts when the data is read. */
async function findCifar10(options: OpenOptions): Promise<ReadDataset> {
  const cache = options.cache ?? cacheDirectory();
  const decision = decideSource(await inspect(candidates({ ...options, cache })));
  if (decision.kind === 'wrong-place') throw await wrongPlace(decision);
  if (decision.kind === 'read') return () => readFound(decision.found, options);
  return async () => {
    const found = await download(decision.reason, cache, options);
    if (!(found instanceof JobError)) return readFound(found, options);
    if (options.allowSynthetic === true) return makeStandIn(options);
    throw found;
  };
}

async function readFound(found: FoundData, options: OpenOptions): Promise<Dataset> {
  const { readCifar10 } = await import('./cifar10.js');
  return readCifar10(found, options);
}

async function wrongPlace({ origin, path }: { readonly origin: string; readonly path: string }): Promise<JobError> {
  const { recognise } = await import('./recognise.js');
  const { found, advice } = await recognise(path);
  return new JobError(
    'NO_DATA',
    'open dataset: expected data_batch_1.bin to data_batch_5.bin and test_batch.bin, or a .tar.gz of them, ' +
      `got ${found}; ${origin}: ${path}; ${advice}`,
  );
}

/** Downloads CIFAR-10. @returns the error if the download is disabled or fails. */
async function download(reason: string, cache: string, options: OpenOptions): Promise<FoundData | JobError> {
  if (options.download === false) return noData(reason);
  try {
    const { installCifar10 } = await import('./install.js');
    return await installCifar10(cache, options);
  } catch (error) {
    if (error instanceof JobError && error.code === 'DOWNLOAD_FAILED') return noData(reason, error);
    throw error;
  }
}

function noData(reason: string, cause?: JobError): JobError {
  return new JobError(
    'NO_DATA',
    `open dataset: expected CIFAR-10, got none; ${reason}; ` +
      (cause === undefined ? '' : `${cause.message}; `) +
      'run: lockstep data download, or pass --data PATH, or train on the stand-in with --set data.dataset=synthetic',
    cause === undefined ? undefined : { cause },
  );
}
