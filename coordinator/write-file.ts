import { mkdir, open, rename, rm } from 'node:fs/promises';
import { JobError } from '../job/errors.js';

/** Makes a directory and its parents. @throws JobError BAD_RUN_DIRECTORY */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw cannotWrite(path, cause);
  });
}

/**
 * Writes a whole file durably: aside, flushed to disk, renamed; so a reader never sees half of one.
 * @throws JobError BAD_RUN_DIRECTORY with the system's reason as cause; an older file of that name is untouched.
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const aside = `${path}.${process.pid}.part`;
  try {
    const file = await open(aside, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw cannotWrite(path, cause);
  }
}

/** The error for a file of a run that cannot be written. */
export function cannotWrite(path: string, cause: unknown): JobError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const advice = 'make room on that disk or grant access, or pass --run DIR with another place';
  return new JobError('BAD_RUN_DIRECTORY', `run directory: expected to write ${path}, got ${reason}; ${advice}`, {
    cause,
  });
}
