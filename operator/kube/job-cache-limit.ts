import type { PackedJob } from './trim.js';

/** Spec and status of 5,000 ordinary jobs, of 3 kB each. */
const maxBytes = 32 * 2 ** 20;

/**
 * Bounds the memory that spec and status of all cached jobs take. Those that changed longest ago are dropped first, and
 * read from the API server again when the job is planned.
 */
export class JobCacheLimit {
  /** Bytes of each, in the order in which they came. */
  readonly #jobs = new Map<PackedJob, number>();
  #bytes = 0;

  constructor(private readonly limitBytes = maxBytes) {}

  /** Takes note of a change in the cache of jobs, and drops what is above the limit from the cached objects. */
  replace(before: PackedJob | undefined, after: PackedJob | undefined): void {
    if (before) this.#remove(before);
    if (after?.packedSpec === undefined) return;
    const bytes = bytesOf(after);
    this.#jobs.set(after, bytes);
    this.#bytes += bytes;
    for (const oldest of this.#jobs.keys()) {
      if (this.#bytes <= this.limitBytes) return;
      this.#remove(oldest);
      drop(oldest);
    }
  }

  #remove(job: PackedJob): void {
    this.#bytes -= this.#jobs.get(job) ?? 0;
    this.#jobs.delete(job);
  }
}

/** The state stays, for the metrics. */
function drop(job: PackedJob): void {
  delete job.packedSpec;
  if (job.status) job.status = { state: job.status.state, conditions: [] };
}

/** JavaScript's strings have two bytes per character as soon as one of them is not Latin. */
function bytesOf({ packedSpec = '', status }: PackedJob): number {
  return 2 * (packedSpec.length + JSON.stringify(status ?? {}).length);
}
