import { JobError } from '../job/errors.js';

/** The error for a directory that isn't a usable image folder. */
export function badFolder(
  path: string,
  expected: string,
  got: string,
  { advice, cause }: { readonly advice?: string; readonly cause?: unknown } = {},
): JobError {
  const remedy = advice === undefined ? '' : `${advice}; `;
  return new JobError(
    'BAD_DATA',
    `read image folder: expected ${expected}, got ${got}; ${path}; ${remedy}see docs/guides/data.md`,
    {
      cause,
    },
  );
}

const failures: Readonly<Record<string, string>> = {
  ENOENT: 'nothing there',
  ENOTDIR: 'a file',
  EISDIR: 'a folder',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ELOOP: 'symbolic links that lead in a circle',
  ENAMETOOLONG: 'a path that is too long',
};

/** Description of a system error, with its code. */
export function describeFailure({ code, message }: NodeJS.ErrnoException): string {
  const words = code === undefined ? undefined : failures[code];
  return words === undefined ? message : `${words} (${code})`;
}

/** True if reading would fail again: the path itself is wrong, not the disk or the network behind it. */
export function isLasting({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && Object.hasOwn(failures, code);
}
