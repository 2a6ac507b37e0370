import { setTimeout as sleep } from 'node:timers/promises';
import { chunkObject } from './names.js';
import { objectsOf, putIndex, putObject, readIndex, removeObject } from './object-chunks.js';
import { type About, objectChunkBytes, type RunIndex } from './payloads.js';
import { RunFiles } from './run-files.js';
import type { Seal } from './seal.js';
import type { Stores } from './stores.js';

export interface ArchiveOptions {
  readonly job: string;
  readonly runId: string;
  /** The run directory. */
  readonly directory: string;
  /** Signs the index and checks the existing one; undefined: the run has no token. */
  readonly seal: Seal | undefined;
  readonly about: () => About & Pick<RunIndex, 'step'>;
  /** Other runs of the job whose objects are kept. */
  readonly keptRuns: readonly string[];
  /** True while NATS is connected and this coordinator owns the job. */
  readonly isOpen: () => boolean;
  readonly onNote: (message: string) => void;
}

type Wanted = 'nothing' | 'run' | 'results';

const pollMs = 100;
const retryMs = 2_000;

/**
 * Copies the run directory into the object store, in parallel with the training. Requests during a copy cause one more
 * copy. Each copy writes new object chunks, then the index, and then removes chunks that the index no longer names.
 * Everything that the index names can therefore be read at any time.
 */
export class Archive {
  readonly #files: RunFiles;
  /** Digests of the object chunks in the store. */
  readonly #stored = new Set<string>();
  #wanted: Wanted = 'nothing';
  #busy = false;
  #stopped = false;
  #wake: (() => void) | undefined;
  #lastProblem: string | undefined;

  constructor(private readonly options: ArchiveOptions) {
    this.#files = new RunFiles(options.directory);
  }

  /** True once everything requested is in the store. */
  get isDone(): boolean {
    return this.#wanted === 'nothing' && !this.#busy;
  }

  /** @param withResults - include model and report, because the run is over. */
  request(withResults = false): void {
    if (this.#stopped) return;
    this.#wanted = withResults || this.#wanted === 'results' ? 'results' : 'run';
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Copies until `stop`. */
  async run(stores: Stores): Promise<void> {
    let isSwept = false;
    while (!this.#stopped) {
      if (this.#wanted === 'nothing') await new Promise<void>((resolve) => (this.#wake = resolve));
      while (!this.options.isOpen() && !this.#stopped) await sleep(pollMs, undefined, { ref: false });
      if (this.#stopped || this.#wanted === 'nothing') continue;
      const wanted = this.#wanted;
      [this.#wanted, this.#busy] = ['nothing', true];
      try {
        if (!isSwept) await this.#sweep(stores);
        isSwept = true;
        await this.#copy(stores, wanted === 'results');
        this.#lastProblem = undefined;
      } catch (error) {
        this.request(wanted === 'results');
        this.#report((error as Error).message);
        await sleep(retryMs, undefined, { ref: false });
      } finally {
        this.#busy = false;
      }
    }
  }

  async #copy(stores: Stores, withResults: boolean): Promise<void> {
    const { job, runId, about, isOpen, seal } = this.options;
    const { step, ...head } = about();
    const files = await this.#files.collect(withResults, async (sha256, bytes) => {
      if (this.#stored.has(sha256)) return;
      await putObject(stores, chunkObject(job, runId, sha256), bytes);
      this.#stored.add(sha256);
    });
    if (!files || !isOpen()) return;
    const index: RunIndex = { ...head, step, partBytes: objectChunkBytes, files, updatedAt: new Date().toISOString() };
    await putIndex(stores, index, seal);
    await this.#removeChunks(stores, new Set(files.flatMap(({ parts }) => parts)));
  }

  async #removeChunks(stores: Stores, needed: ReadonlySet<string>): Promise<void> {
    const { job, runId } = this.options;
    for (const sha256 of this.#stored) {
      if (needed.has(sha256)) continue;
      await removeObject(stores, chunkObject(job, runId, sha256));
      this.#stored.delete(sha256);
    }
  }

  /** Finds the chunks of this run in the store, and removes objects that no index names and those of older runs. */
  async #sweep(stores: Stores): Promise<void> {
    const { job, runId, keptRuns, seal } = this.options;
    const index = await readIndex(stores, { job, runId }, seal).catch(() => undefined);
    const named = new Set(index?.files.flatMap(({ parts }) => parts));
    for (const name of await objectsOf(stores, job)) {
      const [, run = '', kind, sha256 = ''] = name.split('/');
      if (run === runId ? kind === 'index' || named.has(sha256) : keptRuns.includes(run)) continue;
      await removeObject(stores, name);
    }
    for (const sha256 of named) this.#stored.add(sha256);
  }

  #report(found: string): void {
    if (!this.options.isOpen() || found === this.#lastProblem) return;
    this.#lastProblem = found;
    this.options.onNote(`NATS: expected the object store to accept the run's files, got: ${found}; retrying`);
  }
}
