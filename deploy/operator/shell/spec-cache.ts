import type { ReadJob } from '../plan/job-context.js';
import type { TrainingJob } from '../resource/training-job.js';

interface Entry {
  readonly generation: number | undefined;
  readonly bytes: number;
  readonly found: ReadJob;
}

/** Of specs as JSON; what is read from them takes up to 25 times as much. */
const maxBytes = 2 ** 20;

/**
 * Remembers what was found in the jobs' specs, so that each generation is read once; the specs longest unused are
 * dropped first where they are too large together.
 */
export class SpecCache {
  /** By UID; the one used last is last. */
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

/** With room for the words that say what is wrong. */
function bytesOf({ spec }: TrainingJob): number {
  return JSON.stringify(spec).length + 2048;
}
