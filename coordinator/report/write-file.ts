import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { JobError } from '../../job/errors.js';

/** Makes a directory and its parents. @throws JobError BAD_RUN_DIRECTORY */
export async function makeReportDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => refuse('make the directory', path, cause));
}

/**
 * Writes a file of the report aside and renames it, so that a reader never sees half of one.
 * @throws JobError BAD_RUN_DIRECTORY with the system's reason as cause; an older file of that name is untouched.
 */
export async function writeReportFile(path: string, content: string | Uint8Array): Promise<void> {
  const aside = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(aside, content);
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    refuse('write', path, cause);
  }
}

function refuse(deed: string, path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const advice = 'make room or grant access there, or choose another run directory';
  throw new JobError('BAD_RUN_DIRECTORY', `report: expected to ${deed} ${path}, got ${reason}; ${advice}`, { cause });
}
