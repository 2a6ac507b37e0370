import type { PackedJob } from './trim.js';

/** Enough for spec and status of 5,000 ordinary jobs, about 3 kB each. */
const maxBytes = 32 * 2 ** 20;

/**
 * Bounds the memory used by specs and statuses of cached jobs. The least recently changed are dropped first, and read
 * from the API server when the job is planned.
 */
export class JobCacheLimit {
  /** Bytes of each job, in the order of their changes. */
  readonly #jobs = new Map<PackedJob, number>();
  #bytes = 0;

  constructor(private readonly limitBytes = maxBytes) {}

  /** Records a change in the cache of jobs, and drops spec and status of jobs beyond the limit. */
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

/** Drops spec and status except for the state, which metrics use. */
function drop(job: PackedJob): void {
  delete job.packedSpec;
  if (job.status) job.status = { state: job.status.state, conditions: [] };
}

/** Upper bound: JavaScript strings take two bytes per character if any is not Latin-1. */
function bytesOf({ packedSpec = '', status }: PackedJob): number {
  return 2 * (packedSpec.length + JSON.stringify(status ?? {}).length);
}
