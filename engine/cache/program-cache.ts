import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { compilerDigest } from './compiler-digest.js';
import { type CompiledProgram, decodeEntry, encodeEntry } from './entry.js';

/** Total size of the cache, for all versions; enough for a few hundred programs. */
const limitBytes = 64 * 1024 * 1024;
/** Digits of the compiler's digest in file names; the key has all of them. */
const prefixDigits = 16;

/**
 * Compiled programs on disk, shared by all processes with the same directory. Files are written under a temporary name
 * and renamed, and verified by digest on reading. I/O errors are logged once and otherwise ignored: the program is
 * compiled again.
 */
export class ProgramCache {
  #hasLogged = false;

  private constructor(
    private readonly directory: string,
    /** Part of every key. */
    readonly compiler: string,
    private readonly log: (message: string) => void,
    private readonly limit: number,
  ) {}

  /** @param log - receives the first I/O error. */
  static async open(
    directory: string,
    log: (message: string) => void = () => undefined,
    limit = limitBytes,
  ): Promise<ProgramCache> {
    return new ProgramCache(directory, await compilerDigest(), log, limit);
  }

  /** @param key - hexadecimal digest of everything that the program depends on. */
  async load(key: string): Promise<CompiledProgram | undefined> {
    const path = this.#pathOf(key);
    const file = await readFile(path).catch((error: NodeJS.ErrnoException) => this.#unreadable(error));
    if (file === undefined) return undefined;
    const program = decodeEntry(key, file);
    if (program === undefined) {
      this.log(`compile cache: expected a valid file, got a damaged one; ${path}; compiling the program again`);
      return undefined;
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return program;
  }

  async store(key: string, program: CompiledProgram): Promise<void> {
    try {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
      await this.#write(this.#pathOf(key), encodeEntry(key, program));
      await this.#removeOld();
    } catch (error) {
      this.#logOnce('write to', error as Error);
    }
  }

  get #prefix(): string {
    return this.compiler.slice(0, prefixDigits);
  }

  #pathOf(key: string): string {
    return join(this.directory, `${this.#prefix}-${key}${ending}`);
  }

  /** Writes a file atomically, without fsync: damage by a power failure is detected on reading. */
  async #write(path: string, content: readonly Uint8Array[]): Promise<void> {
    const temporary = `${path}.${randomBytes(4).toString('hex')}.part`;
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        for (const bytes of content) await file.writeFile(bytes);
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async #removeOld(): Promise<void> {
    const names = await readdir(this.directory);
    const files = names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(this.directory, name));
      return { name, bytes: size, usedMs: mtimeMs };
    });
    // Another process may be removing the same files.
    const found = (await Promise.allSettled(files)).flatMap((file) =>
      file.status === 'fulfilled' ? [file.value] : [],
    );
    for (const name of decideEviction(found, this.limit)) await rm(join(this.directory, name), { force: true });
  }

  #unreadable(error: NodeJS.ErrnoException): undefined {
    if (error.code !== 'ENOENT') this.#logOnce('read', error);
  }

  #logOnce(what: string, { message }: Error): void {
    if (this.#hasLogged) return;
    this.#hasLogged = true;
    this.log(`compile cache: expected to ${what} ${this.directory}, got ${message}; compiling programs each time`);
  }
}

/** A file of the cache. */
export interface CachedFile {
  readonly name: string;
  readonly bytes: number;
  /** Time of the last read or write, ms since 1970. */
  readonly usedMs: number;
}

/** Names of the files to remove, least recently used first, so that the others fit into `limitBytes`. */
export function decideEviction(files: readonly CachedFile[], limitBytes: number): string[] {
  let kept = 0;
  return [...files]
    .sort((a, b) => b.usedMs - a.usedMs)
    .filter(({ bytes }) => (kept += bytes) > limitBytes)
    .map(({ name }) => name);
}

const ending = '.program';
