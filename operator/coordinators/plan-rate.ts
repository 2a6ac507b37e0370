import type { Urgency } from './update-urgency.js';
import { RateLimit } from '../kube/rate-limit.js';

/** Interval between plans for a job's progress; longer with many jobs, by the limits below. */
const progressMs = 5_000;
/** Plans per second for progress alone, for all jobs: each is a write to the API server. */
const progressPerSecond = 20;
/** Share of one namespace. */
const largestShare = 0.75;
/** Other changes: burst and rate per second, of one job and of a namespace. */
const jobBurst = 4;
const jobPerSecond = 0.2;
const namespaceBurst = 50;
const namespacePerSecond = 5;

interface Namespace {
  jobs: number;
  readonly changes: RateLimit;
}

/**
 * Limits the rate of plans caused by coordinators' answers, per job and per namespace. A hostile coordinator could report
 * a new state with every answer.
 */
export class PlanRate {
  readonly #namespaces = new Map<string, Namespace>();
  #intervals: ReadonlyMap<string, number> | undefined;

  add(namespace: string): JobPlanRate {
    const known = this.#namespaces.get(namespace);
    const entry = known ?? { jobs: 0, changes: new RateLimit(namespacePerSecond, namespaceBurst) };
    entry.jobs += 1;
    this.#namespaces.set(namespace, entry);
    this.#intervals = undefined;
    return new JobPlanRate(entry.changes, () => this.#intervalMs(namespace));
  }

  remove(namespace: string): void {
    const entry = this.#namespaces.get(namespace);
    if (!entry) return;
    entry.jobs -= 1;
    if (entry.jobs === 0) this.#namespaces.delete(namespace);
    this.#intervals = undefined;
  }

  #intervalMs(namespace: string): number {
    this.#intervals ??= progressIntervals([...this.#namespaces].map(([name, { jobs }]) => [name, jobs]));
    return this.#intervals.get(namespace) ?? progressMs;
  }
}

/** Rate of plans of one job. */
export class JobPlanRate {
  readonly #changes = new RateLimit(jobPerSecond, jobBurst);
  #admittedMs = -Infinity;

  constructor(
    private readonly namespace: RateLimit,
    private readonly intervalMs: () => number,
  ) {}

  /** True if an answer may cause a plan now. If not, a later answer will. @param nowMs - monotonic. */
  admit(news: Urgency, nowMs: number): boolean {
    const isDue = nowMs - this.#admittedMs >= this.intervalMs();
    const admitted = news === 'end' || isDue || (news === 'change' && this.#tryChange(nowMs));
    if (admitted) this.#admittedMs = nowMs;
    return admitted;
  }

  #tryChange(nowMs: number): boolean {
    return this.#changes.tryTake(nowMs) && this.namespace.tryTake(nowMs);
  }
}

/**
 * Interval between progress plans of a job, per namespace, in milliseconds. Namespaces with few jobs get all that they
 * need; the others share the rest equally.
 * @param jobs - number of jobs per namespace.
 */
export function progressIntervals(jobs: readonly (readonly [string, number])[]): Map<string, number> {
  const most = progressPerSecond * largestShare;
  let left = progressPerSecond;
  const ascending = [...jobs].sort(([, a], [, b]) => a - b);
  const intervals = ascending.map(([name, count], index): [string, number] => {
    const wanted = (count * 1000) / progressMs;
    const rate = Math.min(wanted, most, left / (ascending.length - index));
    left -= rate;
    return [name, (count * 1000) / rate];
  });
  return new Map(intervals);
}
