import type { Dirent } from 'node:fs';
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { JobError } from '../../job/errors.js';

/** Written before `job.json`, whose presence makes a directory a run. */
const beforeStart = ['log.jsonl', 'steps.csv', 'digests.jsonl', 'evaluations.jsonl', 'run.json', 'checkpoints'];
/** Written at the end of a run. */
const atEnd = ['model', 'report'];
/** Written at other times. */
const others = ['.lock', 'predictions.csv', 'tensorboard', 'trace.json'];

/**
 * Content of a run directory before a command starts its run. If the command fails before then, for example because
 * data is unreadable, `cleanUp` removes its files.
 */
export class RunDirectoryGuard {
  private constructor(
    private readonly path: string,
    /** Names in the directory; undefined if it didn't exist. */
    private readonly before: ReadonlySet<string> | undefined,
    /** Missing parent directories, innermost first. */
    private readonly missing: readonly string[],
  ) {}

  /** @throws JobError BAD_OPTION if a run would overwrite other files. */
  static async inspect(directory: string): Promise<RunDirectoryGuard> {
    const path = resolve(directory);
    const entries = await entriesIn(path);
    if (entries) {
      const names = entries.map(({ name }) => name);
      checkNames(path, names);
      checkLinks(path, entries);
      return new RunDirectoryGuard(path, new Set(names), []);
    }
    const missing: string[] = [];
    for (let above = dirname(path); !(await exists(above)); above = dirname(above)) missing.push(above);
    return new RunDirectoryGuard(path, undefined, missing);
  }

  /** Removes the command's files, unless a run has started or another process uses the directory. */
  async cleanUp(): Promise<void> {
    if ((await exists(join(this.path, 'job.json'))) || (await exists(join(this.path, '.lock')))) return;
    const made = beforeStart.filter((name) => this.before?.has(name) !== true);
    await Promise.all(made.map((name) => rm(join(this.path, name), { recursive: true, force: true })));
    // Only empty directories are removed: other files are the user's.
    const directories = [...(this.before ? [] : [this.path]), ...this.missing];
    for (const directory of directories) await rmdir(directory).catch(() => undefined);
  }
}

/** Entries of a directory; undefined if it doesn't exist. */
async function entriesIn(path: string): Promise<Dirent[] | undefined> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const found = code === 'ENOTDIR' ? 'a file at or above it' : message;
    throw new JobError(
      'BAD_OPTION',
      `run directory ${path}: expected a directory, got ${found}; pass another --run DIR`,
      {
        cause,
      },
    );
  }
}

function checkNames(path: string, names: readonly string[]): void {
  const found = names.includes('job.json') ? [] : names.filter((name) => atEnd.includes(name));
  if (found.length === 0) return;
  throw new JobError(
    'BAD_OPTION',
    `run directory ${path}: expected a new directory or a run, got a directory without job.json that contains ${found.join(', ')}, ` +
      'which a run would overwrite; pass another --run DIR',
  );
}

/** Rejects symbolic links: in a directory from somebody else they could redirect writes and removals anywhere. */
function checkLinks(path: string, entries: readonly Dirent[]): void {
  const own = [...beforeStart, ...atEnd, ...others, 'job.json'];
  const links = entries.filter((entry) => entry.isSymbolicLink() && own.includes(entry.name)).map(({ name }) => name);
  if (links.length === 0) return;
  throw new JobError(
    'BAD_OPTION',
    `run directory ${path}: expected regular files and folders, got symbolic links: ${links.join(', ')}; ` +
      'replace each link by its target, or pass another --run DIR',
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
