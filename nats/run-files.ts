import { createHash } from 'node:crypto';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { objectChunkBytes, type StoredFile, storedName } from './payloads.js';

const recordNames = ['job.json', 'run.json', 'steps.csv', 'digests.jsonl', 'evaluations.jsonl', 'predictions.csv'];
/** Files that only grow, so their complete chunks never change. */
const growingNames = ['steps.csv', 'digests.jsonl', 'evaluations.jsonl'];

/** Called with each object chunk that isn't known yet. */
export type KeepChunk = (sha256: string, bytes: Uint8Array) => Promise<void>;

interface Seen {
  readonly size: number;
  readonly modifiedMs: number;
  readonly file: StoredFile;
}

/** Files of a run directory as object chunks; only changes are read again. */
export class RunFiles {
  readonly #seen = new Map<string, Seen>();

  constructor(private readonly directory: string) {}

  /**
   * Current files, after `keep` has stored each new chunk.
   * @param withResults - include model and report.
   * @returns undefined while there is no run to resume.
   */
  async collect(withResults: boolean, keep: KeepChunk): Promise<StoredFile[] | undefined> {
    const files: StoredFile[] = [];
    const names = await this.#names(withResults);
    for (const name of [...this.#seen.keys()]) if (!names.includes(name)) this.#seen.delete(name);
    for (const name of names) {
      const file = await this.#collectOne(name, keep);
      if (file) files.push(file);
    }
    return isRun(files) ? files : undefined;
  }

  async #names(withResults: boolean): Promise<string[]> {
    const found = [...recordNames, ...(await namesIn(this.directory, 'checkpoints'))];
    if (withResults) {
      for (const folder of ['model', 'report']) found.push(...(await namesIn(this.directory, folder)));
    }
    return found.filter((name) => storedName.test(name));
  }

  /** @returns undefined if the file doesn't exist. */
  async #collectOne(name: string, keep: KeepChunk): Promise<StoredFile | undefined> {
    const path = join(this.directory, name);
    try {
      const found = await lstat(path);
      // Nothing outside the run directory goes into the store.
      if (!found.isFile()) return undefined;
      const { size, mtimeMs } = found;
      const seen = this.#seen.get(name);
      if (seen?.size === size && seen.modifiedMs === mtimeMs) return seen.file;
      const known = seen && growingNames.includes(name) ? completeChunks(seen.file) : [];
      const file = { name, size, parts: await readChunks(path, size, known, keep) };
      this.#seen.set(name, { size, modifiedMs: mtimeMs, file });
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** True if a coordinator could resume from these files. */
function isRun(files: readonly StoredFile[]): boolean {
  const has = (start: string) => files.some(({ name }) => name.startsWith(start));
  return has('job.json') && has('run.json') && has('checkpoints/');
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Digests of the chunks that stay the same when the file grows. */
function completeChunks({ size, parts }: StoredFile): string[] {
  return parts.slice(0, Math.floor(size / objectChunkBytes));
}

async function readChunks(path: string, size: number, known: readonly string[], keep: KeepChunk): Promise<string[]> {
  const parts = [...known];
  const file = await open(path, 'r');
  try {
    for (let at = parts.length * objectChunkBytes; at < size; at += objectChunkBytes) {
      const bytes = new Uint8Array(Math.min(objectChunkBytes, size - at));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, at);
      if (bytesRead < bytes.length) throw new Error(`${path}: expected ${size} bytes, got fewer`);
      const sha256 = sha256Of(bytes);
      await keep(sha256, bytes);
      parts.push(sha256);
    }
  } finally {
    await file.close();
  }
  return parts;
}

/** Files in a folder of the run, as `folder/name`. */
async function namesIn(directory: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(directory, folder), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1)).sort();
}
