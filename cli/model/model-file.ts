import { readFile, stat } from 'node:fs/promises';
import { JobError } from '../../job/errors.js';

/** Size limit of topology JSON and modules. A topology of a thousand layers takes 1 MB. */
const maxModelBytes = 16 * 1024 * 1024;

/** Reads a file that defines a model. @throws JobError BAD_MODEL unless it is a regular file within the limit. */
export async function readModelText(file: string): Promise<string> {
  const fail = (expected: string, found: string, cause?: unknown) =>
    new JobError('BAD_MODEL', `model ${file}: expected ${expected}, got ${found}`, { cause });
  try {
    const info = await stat(file);
    // Reading from a pipe or device may never end.
    if (!info.isFile()) throw fail('a regular file', info.isDirectory() ? 'a directory' : 'a special file');
    if (info.size > maxModelBytes) {
      throw fail(`at most ${maxModelBytes / 1024 / 1024} MiB`, `${(info.size / 1024 / 1024).toFixed(1)} MiB`);
    }
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw cause instanceof JobError ? cause : fail('a readable file', (cause as Error).message, cause);
  }
}
