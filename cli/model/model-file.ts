import { readFile, stat } from 'node:fs/promises';
import { JobError } from '../../job/errors.js';

/** Largest file that defines a model: topology JSON or a module. Topologies of a thousand layers take 1 MB. */
export const maxModelBytes = 16 * 1024 * 1024;

/** Text of a file that defines a model. @throws JobError BAD_MODEL unless it is a regular file within the limit. */
export async function readModelText(file: string): Promise<string> {
  const fail = (expected: string, found: string, cause?: unknown) =>
    new JobError('BAD_MODEL', `model ${file}: expected ${expected}, got ${found}`, { cause });
  try {
    const info = await stat(file);
    // Reading a pipe or a device may never end.
    if (!info.isFile()) throw fail('a regular file', info.isDirectory() ? 'a directory' : 'a special file');
    if (info.size > maxModelBytes) {
      throw fail(`at most ${maxModelBytes / 1024 / 1024} MiB`, `${(info.size / 1024 / 1024).toFixed(1)} MiB`);
    }
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw cause instanceof JobError ? cause : fail('a readable file', (cause as Error).message, cause);
  }
}
