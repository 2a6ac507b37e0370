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
  /** For `folder`: image format, and the directory unless `path` overrides it. */
  readonly folder?: FolderOptions & { readonly path?: string | undefined };
  /** `LOCKSTEP_DATA`, the location of CIFAR-10 */
  readonly envPath?: string;
  readonly cwd: string;
  /** Directory for downloads; default: the platform's cache directory. */
  readonly cache?: string;
  /** Permits downloading missing data; default: true. */
  readonly download?: boolean;
  /** Fall back to the synthetic dataset if CIFAR-10 can't be found or downloaded. The caller must tell the user. */
  readonly allowSynthetic?: boolean;
  /** The spec's `data.limit`: images of each batch to use. */
  readonly limit?: number;
  /** Seed of the synthetic images; not the job's seed, so that jobs with different seeds train on the same data. */
  readonly seed?: number;
}

/** Reads a dataset that was found. */
export type ReadDataset = () => Promise<Dataset>;

/** Finds and reads a job's dataset; see `findDataset`. */
export async function openDataset(options: OpenOptions): Promise<Dataset> {
  return (await findDataset(options))();
}

/**
 * Finds a job's dataset without reading it. CIFAR-10: `--data`, else `LOCKSTEP_DATA`, else `./data` and the cache
 * directory, else the download, which starts on reading.
 *
 * A location given by the user is the only one searched. Invalid data is an error, never a reason to search elsewhere.
 * @throws JobError NO_DATA that lists the searched locations; BAD_DATA; BAD_OPTION. Reading throws these and
 * DOWNLOAD_FAILED. With `allowSynthetic`, the synthetic dataset replaces a failed download and nothing else.
 */
export async function findDataset(options: OpenOptions): Promise<ReadDataset> {
  const { limit } = options;
  const read = await findWhole(options);
  return limit === undefined ? read : async () => limitDataset(await read(), limit);
}

async function findWhole(options: OpenOptions): Promise<ReadDataset> {
  if (options.path === '')
    throw new JobError('BAD_OPTION', '--data: expected a path, got none; omit --data, or pass a path');
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
  if (options.path === undefined) return () => createSynthetic(options);
  throw new JobError(
    'BAD_OPTION',
    `--data: expected none with the synthetic dataset, which is computed, got ${options.path}; ` +
      'omit --data, or set data.dataset to cifar10 or folder',
  );
}

/** Creates the synthetic dataset. Loads its libraries, which other datasets don't need. */
async function createSynthetic({ limit, seed }: OpenOptions): Promise<Dataset> {
  const { makeSynthetic } = await import('./synthetic.js');
  const sizes = limit === undefined ? {} : { imagesPerBatch: limit, testImages: limit };
  return makeSynthetic({ ...sizes, ...(seed === undefined ? {} : { seed }) });
}

async function findFolder({ path, folder, cwd, limit }: OpenOptions): Promise<ReadDataset> {
  const place = path ?? folder?.path;
  if (place === undefined || folder === undefined) {
    throw new JobError(
      'NO_DATA',
      'open dataset: expected the path of an image folder, got none; set data.path in the spec, or pass --data DIR',
    );
  }
  const { findImages, readListed } = await import('./folder.js');
  const root = resolve(cwd, place);
  const files = await findImages(root, { ...folder, limit });
  return () => readListed(root, files, folder);
}

/** Finds CIFAR-10. A wrong explicit location is an immediate error; a download starts when the data is read. */
async function findCifar10(options: OpenOptions): Promise<ReadDataset> {
  const cache = options.cache ?? cacheDirectory();
  const decision = decideSource(await inspect(candidates({ ...options, cache })));
  if (decision.kind === 'wrong-location') throw await wrongLocation(decision);
  if (decision.kind === 'read') return () => readFound(decision.found, options);
  return async () => {
    const found = await download(decision.reason, cache, options);
    if (!(found instanceof JobError)) return readFound(found, options);
    if (options.allowSynthetic === true) return createSynthetic(options);
    throw found;
  };
}

async function readFound(found: FoundData, options: OpenOptions): Promise<Dataset> {
  const { readCifar10 } = await import('./cifar10.js');
  return readCifar10(found, options);
}

async function wrongLocation({ origin, path }: { readonly origin: string; readonly path: string }): Promise<JobError> {
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
      'run: lockstep data download, or pass --data PATH, or use the synthetic dataset: --set data.dataset=synthetic',
    cause === undefined ? undefined : { cause },
  );
}
