import { constants } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { JobError } from '../job/errors.js';

/** Extension of an incomplete file. */
export const asideEnding = '.part';
/** Like `w`, but fails on a symbolic link, which a directory of another user may contain. */
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);

/** Creates a directory and its parents. @throws JobError BAD_RUN_DIRECTORY */
export async function makeDirectory(path: string): Promise<void> {
  await makeParents(path).catch((cause: unknown) => {
    throw cannotWrite(path, cause);
  });
}

/** Like recursive `mkdir`, which wrongly reports ENOENT on a full disk. @throws the system's own error */
export async function makeParents(path: string): Promise<void> {
  const make = () =>
    mkdir(path).catch(async (cause: NodeJS.ErrnoException) => {
      const isThere = cause.code === 'EEXIST' && (await stat(path)).isDirectory();
      if (!isThere) throw cause;
    });
  await make().catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT' || dirname(path) === path) throw cause;
    await makeParents(dirname(path));
    await make();
  });
}

/**
 * Writes a file durably and atomically: to a temporary file, which is flushed and renamed.
 * @param content - parts are concatenated.
 * @throws JobError BAD_RUN_DIRECTORY with the system's reason as cause; an older file of that name is untouched.
 */
export async function writeWhole(path: string, content: string | Uint8Array | readonly Uint8Array[]): Promise<void> {
  const aside = `${path}.${process.pid}${asideEnding}`;
  try {
    const file = await open(aside, newFile);
    try {
      for (const part of isParts(content) ? content : [content]) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw cannotWrite(path, cause);
  }
}

function isParts(content: string | Uint8Array | readonly Uint8Array[]): content is readonly Uint8Array[] {
  return Array.isArray(content);
}

/** Makes a rename durable, on systems that can open a directory. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}

/** True if a write failed because the disk or the user's quota is full. */
export function isDiskFull(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Error for a run's file that cannot be written. */
export function cannotWrite(path: string, cause: unknown): JobError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const advice = 'make room on that disk or grant access, or pass another --run DIR';
  return new JobError('BAD_RUN_DIRECTORY', `run directory: expected to write ${path}, got ${reason}; ${advice}`, {
    cause,
  });
}
