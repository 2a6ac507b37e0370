import type { ReadJob } from '../plan/job-context.js';
import type { TrainingJob } from '../resource/training-job.js';

interface Entry {
  readonly generation: number | undefined;
  readonly bytes: number;
  readonly found: ReadJob;
}

/** Bytes of cached specs as JSON; the parsed values take up to 25 times as much. */
const maxBytes = 2 ** 20;

/**
 * Caches parsed specs of jobs, so each generation is parsed once. Beyond the limit, the least recently used ones are
 * dropped.
 */
export class SpecCache {
  /** By UID; the most recently used is last. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(
    private readonly readJob: (job: TrainingJob) => ReadJob,
    private readonly limitBytes = maxBytes,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  read(job: TrainingJob): ReadJob {
    const { uid = '', generation } = job.metadata;
    const before = this.#entries.get(uid);
    this.forget(uid);
    const isSame = before !== undefined && before.generation === generation;
    const entry = isSame ? before : { generation, bytes: bytesOf(job), found: this.readJob(job) };
    this.#add(uid, entry);
    return entry.found;
  }

  forget(uid: string): void {
    this.#bytes -= this.#entries.get(uid)?.bytes ?? 0;
    this.#entries.delete(uid);
  }

  #add(uid: string, entry: Entry): void {
    this.#entries.set(uid, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.limitBytes) return;
      this.forget(oldest);
    }
  }
}

/** Includes room for error messages. */
function bytesOf({ spec }: TrainingJob): number {
  return JSON.stringify(spec).length + 2048;
}
