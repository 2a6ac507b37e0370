import type { Dirent } from 'node:fs';
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { JobError } from '../../job/errors.js';

/** Written before `job.json`, which makes a directory a run. */
const early = ['log.jsonl', 'steps.csv', 'digests.jsonl', 'evaluations.jsonl', 'run.json', 'checkpoints'];
/** Written by a run that has begun, at its end. */
const late = ['model', 'report'];
/** Written besides. */
const others = ['.lock', 'predictions.csv', 'tensorboard', 'trace.json'];

/**
 * The state of a run directory before a command begins its run. If the command fails before then, as for unreadable
 * data, `restore` removes what it has made.
 */
export class RunDirectoryGuard {
  private constructor(
    private readonly path: string,
    /** Names in the directory; undefined if it didn't exist. */
    private readonly before: ReadonlySet<string> | undefined,
    /** Missing parent directories, innermost first. */
    private readonly missing: readonly string[],
  ) {}

  /** @throws JobError BAD_OPTION where a run would overwrite what isn't its own. */
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

  /** Removes the command's own files, unless a run has begun there or another process is using the directory. */
  async cleanUp(): Promise<void> {
    if ((await exists(join(this.path, 'job.json'))) || (await exists(join(this.path, '.lock')))) return;
    const made = early.filter((name) => this.before?.has(name) !== true);
    await Promise.all(made.map((name) => rm(join(this.path, name), { recursive: true, force: true })));
    // A directory is removed only if it is empty: other files are the user's.
    const directories = [...(this.before ? [] : [this.path]), ...this.missing];
    for (const directory of directories) await rmdir(directory).catch(() => undefined);
  }
}

/** What is in a directory; undefined if there is none. */
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
  const found = names.includes('job.json') ? [] : names.filter((name) => late.includes(name));
  if (found.length === 0) return;
  throw new JobError(
    'BAD_OPTION',
    `run directory ${path}: expected a new directory or a run, got one without job.json that has ${found.join(', ')}, ` +
      'which a run would overwrite; pass another --run DIR',
  );
}

/** Links in a run directory of somebody else could lead what a run writes, or removes, to any place. */
function checkLinks(path: string, entries: readonly Dirent[]): void {
  const own = [...early, ...late, ...others, 'job.json'];
  const links = entries.filter((entry) => entry.isSymbolicLink() && own.includes(entry.name)).map(({ name }) => name);
  if (links.length === 0) return;
  throw new JobError(
    'BAD_OPTION',
    `run directory ${path}: expected files and folders of its own, got symbolic links, through which a run would write ` +
      `elsewhere: ${links.join(', ')}; put in their place what they lead to, or pass another --run DIR`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
