import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { compilerDigest } from './compiler-digest.js';
import { type CompiledProgram, decodeEntry, encodeEntry } from './entry.js';

/** All files together, of all versions: some hundred programs. */
const limitBytes = 64 * 1024 * 1024;
/** Digits of the compiler's digest in a file's name; the whole of it is part of the key. */
const prefixDigits = 16;

/**
 * Compiled programs on disk, shared by all processes that are given the same directory. A file is whole or not there:
 * it is written aside and renamed, and read only if its digest is right. What cannot be read or written is said once
 * and costs nothing but time.
 */
export class ProgramCache {
  #complained = false;

  private constructor(
    private readonly directory: string,
    /** Part of every key. */
    readonly compiler: string,
    private readonly log: (message: string) => void,
    private readonly limit: number,
  ) {}

  /** @param log - told once what is wrong with the directory. */
  static async open(
    directory: string,
    log: (message: string) => void = () => undefined,
    limit = limitBytes,
  ): Promise<ProgramCache> {
    return new ProgramCache(directory, await compilerDigest(), log, limit);
  }

  /** Whether there is any program of this compiler: a hint that others will be there too. */
  async isWarm(): Promise<boolean> {
    const names = await readdir(this.directory).catch((): string[] => []);
    return names.some((name) => name.startsWith(this.#prefix) && name.endsWith(ending));
  }

  /** @param key - hexadecimal digest of all that the program is made from. */
  async load(key: string): Promise<CompiledProgram | undefined> {
    const path = this.#pathOf(key);
    const file = await readFile(path).catch((error: NodeJS.ErrnoException) => this.#unreadable(error));
    if (file === undefined) return undefined;
    const program = decodeEntry(key, file);
    if (program === undefined) {
      this.log(`compile cache: expected ${path} to be whole, got a damaged file; the program is compiled again`);
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
      this.#complain('write to', error as Error);
    }
  }

  get #prefix(): string {
    return this.compiler.slice(0, prefixDigits);
  }

  #pathOf(key: string): string {
    return join(this.directory, `${this.#prefix}-${key}${ending}`);
  }

  /** Not flushed to disk: a file that a power cut damages is found out when it is read. */
  async #write(path: string, content: readonly Uint8Array[]): Promise<void> {
    const aside = `${path}.${randomBytes(4).toString('hex')}.part`;
    try {
      const file = await open(aside, 'wx', 0o600);
      try {
        for (const part of content) await file.writeFile(part);
      } finally {
        await file.close();
      }
      await rename(aside, path);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async #removeOld(): Promise<void> {
    const names = await readdir(this.directory);
    const files = names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(this.directory, name));
      return { name, bytes: size, usedMs: mtimeMs };
    });
    // Another process may remove the same files at the same time.
    const found = (await Promise.allSettled(files)).flatMap((file) =>
      file.status === 'fulfilled' ? [file.value] : [],
    );
    for (const name of decideEviction(found, this.limit)) await rm(join(this.directory, name), { force: true });
  }

  #unreadable(error: NodeJS.ErrnoException): undefined {
    if (error.code !== 'ENOENT') this.#complain('read', error);
  }

  #complain(what: string, { message }: Error): void {
    if (this.#complained) return;
    this.#complained = true;
    this.log(`compile cache: expected to ${what} ${this.directory}, got ${message}; programs are compiled each time`);
  }
}

const ending = '.program';

/** A file of the cache. */
interface CachedFile {
  readonly name: string;
  readonly bytes: number;
  /** Time of its last read or write, ms since 1970. */
  readonly usedMs: number;
}

/** Selects the files to remove so that the rest fits into `limitBytes`: the least recently used. */
export function decideEviction(files: readonly CachedFile[], limitBytes: number): string[] {
  let kept = 0;
  return [...files]
    .sort((a, b) => b.usedMs - a.usedMs)
    .filter(({ bytes }) => (kept += bytes) > limitBytes)
    .map(({ name }) => name);
}
