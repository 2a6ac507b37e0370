import { resolve } from 'node:path';
import { JobError } from '../errors.js';
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

/**
 * Opens a job's dataset. CIFAR-10: `--data`, else `LOCKSTEP_DATA`, else `./data` and the cache directory, else the download.
 *
 * A place that the user named is the only one. Data that is there but bad is an error, never a reason to look elsewhere.
 * @throws JobError NO_DATA says where it looked and what to do; BAD_DATA; neither gives way to the stand-in, except
 * that `allowSynthetic` replaces a failed download.
 */
export async function openDataset(options: OpenOptions): Promise<Dataset> {
  const dataset = await openWhole(options);
  return options.limit === undefined ? dataset : limitDataset(dataset, options.limit);
}

async function openWhole(options: OpenOptions): Promise<Dataset> {
  const { limit, seed } = options;
  const sizes = limit === undefined ? {} : { imagesPerBatch: limit, testImages: limit };
  // Each kind of data has libraries of its own, which the others need not wait for.
  const synthetic = async () => {
    const { makeSynthetic } = await import('./synthetic.js');
    return makeSynthetic({ ...sizes, ...(seed === undefined ? {} : { seed }) });
  };
  if (options.dataset === 'synthetic') return synthetic();
  if (options.dataset === 'folder') return openFolder(options);
  const found = await findCifar10(options);
  if (found instanceof JobError) {
    if (options.allowSynthetic === true) return synthetic();
    throw found;
  }
  const { readCifar10 } = await import('./cifar10.js');
  return readCifar10(found, options);
}

async function openFolder({ path, folder, cwd, limit }: OpenOptions): Promise<Dataset> {
  const place = path ?? folder?.path;
  if (place !== undefined && folder !== undefined) {
    const { readFolder } = await import('./folder.js');
    return readFolder(resolve(cwd, place), { ...folder, limit });
  }
  throw new JobError(
    'NO_DATA',
    'open dataset: expected the directory of an image folder, got none; set data.path in the spec, or pass --data DIR',
  );
}

/** The data's place, or the error that says why it is nowhere to be had. A wrong explicit place is thrown. */
async function findCifar10(options: OpenOptions): Promise<FoundData | JobError> {
  const cache = options.cache ?? cacheDirectory();
  const decision = decideSource(await inspect(candidates({ ...options, cache })));
  if (decision.kind === 'read') return decision.found;
  if (decision.kind === 'wrong-place') {
    throw new JobError(
      'NO_DATA',
      `open dataset: expected data_batch_1.bin to data_batch_5.bin and test_batch.bin, or a .tar.gz of them; ` +
        `${decision.reason}; name the directory or archive that holds them`,
    );
  }
  if (options.download === false) return noData(decision.reason);
  try {
    const { installCifar10 } = await import('./install.js');
    return await installCifar10(cache, options);
  } catch (error) {
    if (error instanceof JobError && error.code === 'DOWNLOAD_FAILED') return noData(decision.reason, error);
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
