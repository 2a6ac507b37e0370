import { JobError } from '../job/errors.js';

/** Error for a directory that isn't a usable image folder. */
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
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a file',
  EISDIR: 'a folder',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ELOOP: 'a cycle of symbolic links',
  ENAMETOOLONG: 'a path that is too long',
};

/** Text of a system error, with its code. */
export function describeFailure({ code, message }: NodeJS.ErrnoException): string {
  const words = code === undefined ? undefined : failures[code];
  return words === undefined ? message : `${words} (${code})`;
}

/** True if a retry would fail: the path itself is wrong, not the disk or the network. */
export function isPermanent({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && Object.hasOwn(failures, code);
}
