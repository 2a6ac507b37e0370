import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { JobError } from '../job/errors.js';

/** Written before `job.json`, which makes a directory a run. */
const early = ['log.jsonl', 'steps.csv', 'digests.jsonl', 'evaluations.jsonl', 'run.json', 'checkpoints'];
/** Written by a run that has begun, at its end. */
const late = ['model', 'report'];

/**
 * The state of a run directory before a command begins its run. If the command fails before then, as for unreadable
 * data, `restore` removes what it has made.
 */
export class RunPlace {
  private constructor(
    private readonly path: string,
    /** Names in the directory; undefined if it didn't exist. */
    private readonly before: ReadonlySet<string> | undefined,
    /** Missing parent directories, innermost first. */
    private readonly missing: readonly string[],
  ) {}

  /** @throws JobError BAD_OPTION where a run would overwrite what isn't its own. */
  static async look(directory: string): Promise<RunPlace> {
    const path = resolve(directory);
    const names = await namesIn(path);
    if (names) {
      checkNames(path, names);
      return new RunPlace(path, new Set(names), []);
    }
    const missing: string[] = [];
    for (let above = dirname(path); !(await exists(above)); above = dirname(above)) missing.push(above);
    return new RunPlace(path, undefined, missing);
  }

  /** Removes the command's own files, unless a run has begun there or another process is using the directory. */
  async restore(): Promise<void> {
    if ((await exists(join(this.path, 'job.json'))) || (await exists(join(this.path, '.lock')))) return;
    const made = early.filter((name) => this.before?.has(name) !== true);
    await Promise.all(made.map((name) => rm(join(this.path, name), { recursive: true, force: true })));
    // A directory is removed only if it is empty: other files are the user's.
    const directories = [...(this.before ? [] : [this.path]), ...this.missing];
    for (const directory of directories) await rmdir(directory).catch(() => undefined);
  }
}

/** Names in a directory; undefined if there is none. */
async function namesIn(path: string): Promise<string[] | undefined> {
  try {
    return await readdir(path);
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
  const others = names.includes('job.json') ? [] : names.filter((name) => late.includes(name));
  if (others.length === 0) return;
  throw new JobError(
    'BAD_OPTION',
    `run directory ${path}: expected a new directory or a run, got one without job.json that has ${others.join(', ')}, ` +
      'which a run would overwrite; pass another --run DIR',
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
