import { setTimeout as sleep } from 'node:timers/promises';
import { partObject } from './names.js';
import { objectsOf, putIndex, putObject, readIndex, removeObject } from './object-chunks.js';
import { type About, partBytes, type RunIndex } from './payloads.js';
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
  /** Runs of the job besides this one whose objects are kept. */
  readonly keptRuns: readonly string[];
  /** Whether NATS is there and the job is ours. */
  readonly isOpen: () => boolean;
  readonly onNote: (message: string) => void;
}

type Wanted = 'nothing' | 'run' | 'results';

const lookMs = 100;
const retryMs = 2_000;

/**
 * Copies the run directory into the object store, beside the training: whatever is asked for while a copy is under way
 * is done by one more. Parts go first, the index that names them last, and then the parts go that it names no more; so
 * what the index names can be read at any time.
 */
export class Archive {
  readonly #files: RunFiles;
  /** Parts that the store has. */
  readonly #stored = new Set<string>();
  #wanted: Wanted = 'nothing';
  #busy = false;
  #stopped = false;
  #wake: (() => void) | undefined;
  #complaint: string | undefined;

  constructor(private readonly options: ArchiveOptions) {
    this.#files = new RunFiles(options.directory);
  }

  /** Whether all that was asked for is in the store. */
  get isDone(): boolean {
    return this.#wanted === 'nothing' && !this.#busy;
  }

  /** @param withResults - model and report too, as the run is over. */
  request(withResults = false): void {
    if (this.#stopped) return;
    this.#wanted = withResults || this.#wanted === 'results' ? 'results' : 'run';
    this.#wake?.();
  }

  async drain(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!this.isDone && !this.#stopped && performance.now() < deadline) await sleep(20);
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Copies until `stop`. */
  async run(stores: Stores): Promise<void> {
    let swept = false;
    while (!this.#stopped) {
      if (this.#wanted === 'nothing') await new Promise<void>((resolve) => (this.#wake = resolve));
      while (!this.options.isOpen() && !this.#stopped) await sleep(lookMs, undefined, { ref: false });
      if (this.#stopped || this.#wanted === 'nothing') continue;
      const wanted = this.#wanted;
      [this.#wanted, this.#busy] = ['nothing', true];
      try {
        if (!swept) await this.#sweep(stores);
        swept = true;
        await this.#copy(stores, wanted === 'results');
        this.#complaint = undefined;
      } catch (error) {
        this.request(wanted === 'results');
        this.#complain((error as Error).message);
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
      await putObject(stores, partObject(job, runId, sha256), bytes);
      this.#stored.add(sha256);
    });
    if (!files || !isOpen()) return;
    const index: RunIndex = { ...head, step, partBytes, files, updatedAt: new Date().toISOString() };
    await putIndex(stores, index, seal);
    await this.#removeParts(stores, new Set(files.flatMap(({ parts }) => parts)));
  }

  async #removeParts(stores: Stores, needed: ReadonlySet<string>): Promise<void> {
    const { job, runId } = this.options;
    for (const sha256 of this.#stored) {
      if (needed.has(sha256)) continue;
      await removeObject(stores, partObject(job, runId, sha256));
      this.#stored.delete(sha256);
    }
  }

  /** Takes stock: what there is of this run is known afterwards, what no index names is gone, and so are old runs. */
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

  #complain(found: string): void {
    if (!this.options.isOpen() || found === this.#complaint) return;
    this.#complaint = found;
    this.options.onNote(`NATS: expected the object store to take the run's files, got: ${found}; trying again`);
  }
}
