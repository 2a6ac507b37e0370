import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/**
 * The state of a run directory before a command begins its run. If the command fails before then, as for unreadable
 * data, `restore` leaves the directory as it was.
 */
export class RunPlace {
  private constructor(
    private readonly path: string,
    /** Names in the directory; undefined if it didn't exist. */
    private readonly before: ReadonlySet<string> | undefined,
    /** Missing parent directories, innermost first. */
    private readonly missing: readonly string[],
  ) {}

  static async look(directory: string): Promise<RunPlace> {
    const path = resolve(directory);
    const names = await readdir(path).catch(() => undefined);
    if (names) return new RunPlace(path, new Set(names), []);
    const missing: string[] = [];
    for (let above = dirname(path); !(await exists(above)); above = dirname(above)) missing.push(above);
    return new RunPlace(path, undefined, missing);
  }

  /** Removes everything created since, unless a run has begun there or another process is using the directory. */
  async restore(): Promise<void> {
    if (!(await exists(this.path))) return;
    if ((await exists(join(this.path, 'job.json'))) || (await exists(join(this.path, '.lock')))) return;
    if (this.before === undefined) await rm(this.path, { recursive: true, force: true });
    else await this.#removeNew(this.before);
    for (const directory of this.missing) await rmdir(directory).catch(() => undefined);
  }

  async #removeNew(before: ReadonlySet<string>): Promise<void> {
    const names = await readdir(this.path);
    const made = names.filter((name) => !before.has(name));
    await Promise.all(made.map((name) => rm(join(this.path, name), { recursive: true, force: true })));
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
