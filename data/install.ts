import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { JobError } from '../job/errors.js';
import { fileSha256, readArchive } from './cifar10-archive.js';
import { ARCHIVE_NAME, FOLDER, IMAGES_PER_FILE, OFFICIAL_SHA256 } from './cifar10-format.js';
import { type Marker, MARKER_NAME } from './cifar10-title.js';
import { download, type DownloadOptions } from './download.js';
import { findData, type FoundData } from './locate.js';

const OFFICIAL_BASE_URL = 'https://www.cs.toronto.edu/~kriz/';
/** Age at which a lock is stale; its holder renews it at half of this. */
const LOCK_STALE_MS = 10_000;
const LOCK_POLL_MS = 250;

export interface InstallOptions extends Pick<DownloadOptions, 'onProgress' | 'stallMs' | 'backoffMs'> {
  /** URL of the archive's directory, with a slash at its end; default: the official host. */
  readonly baseUrl?: string;
  /** SHA-256 of the archive; default: the official one. */
  readonly sha256?: string;
  readonly imagesPerFile?: number;
  /** Called once if another process is downloading to the same directory. */
  readonly onWait?: () => void;
}

/**
 * Downloads CIFAR-10 into `directory/cifar-10-batches-bin`, unless it exists.
 *
 * Files are written under a temporary name and renamed when complete. A lock admits one process at a time; others wait
 * and then find the files.
 * @throws JobError DOWNLOAD_FAILED, also if the directory isn't writable.
 */
export async function installCifar10(directory: string, options: InstallOptions = {}): Promise<FoundData> {
  try {
    await mkdir(directory, { recursive: true });
    return await locked(
      directory,
      options.onWait,
      async () => (await findData(directory)) ?? (await install(directory, options)),
    );
  } catch (cause) {
    if (cause instanceof JobError) throw cause;
    throw new JobError(
      'DOWNLOAD_FAILED',
      `download: expected a writable directory with 400 MB free, got ${(cause as Error).message}; ${directory}; ` +
        'choose another: lockstep data download --to DIR',
      { cause },
    );
  }
}

/**
 * Runs `work` while holding the directory's lock; waits while another live process holds it.
 *
 * Losing the lock because this process was suspended is harmless: SHA-256 and atomic renames still protect the files.
 */
async function locked<T>(directory: string, onWait: (() => void) | undefined, work: () => Promise<T>): Promise<T> {
  let lost = false;
  const options = {
    lockfilePath: join(directory, '.download.lock'),
    stale: LOCK_STALE_MS,
    onCompromised: () => (lost = true),
  };
  let release: (() => Promise<void>) | undefined;
  for (let waits = 0; release === undefined; waits++) {
    release = await lockfile.lock(directory, options).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ELOCKED') throw error;
      return undefined;
    });
    if (release !== undefined) break;
    if (waits === 0) onWait?.();
    await sleep(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    if (!lost) await release();
  }
}

async function install(directory: string, options: InstallOptions): Promise<FoundData> {
  const { baseUrl = OFFICIAL_BASE_URL, sha256 = OFFICIAL_SHA256, imagesPerFile = IMAGES_PER_FILE, ...rest } = options;
  const archive = join(directory, ARCHIVE_NAME);
  await download({ ...rest, url: new URL(ARCHIVE_NAME, baseUrl).href, target: archive, sha256 });
  const found = await unpackArchive(archive, directory, imagesPerFile);
  await rm(archive);
  return found;
}

/**
 * Writes an archive's batch files to `directory/cifar-10-batches-bin`, with a marker of their origin. File names come
 * from a fixed list, never from the archive.
 */
export async function unpackArchive(
  archive: string,
  directory: string,
  imagesPerFile = IMAGES_PER_FILE,
): Promise<FoundData> {
  const path = join(directory, FOLDER);
  const temporary = `${path}.part`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary);
  try {
    const sha256: Record<string, string> = {};
    const writes: Promise<void>[] = [];
    await readArchive(archive, imagesPerFile, (name, bytes) => {
      if (name.endsWith('.bin')) sha256[name] = createHash('sha256').update(bytes).digest('hex');
      writes.push(writeFile(join(temporary, name), bytes));
    });
    await Promise.all(writes);
    const marker: Marker = { archiveSha256: await fileSha256(archive), sha256 };
    await writeFile(join(temporary, MARKER_NAME), `${JSON.stringify(marker, null, 2)}\n`);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return { kind: 'directory', path };
}
