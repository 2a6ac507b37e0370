import { createHash } from 'node:crypto';
import { RateLimit } from './rate-limit.js';

/** An event of a job, for `kubectl describe`. */
export interface JobEvent {
  /** One CamelCase word. */
  readonly reason: string;
  readonly message: string;
  readonly warning: boolean;
}

/** Decision on writing an event. */
export type EventDecision =
  | { readonly action: 'create' }
  /** Increment the count of an equal, recent Event. */
  | { readonly action: 'count'; readonly name: string; readonly count: number }
  | { readonly action: 'drop'; readonly reason: string };

/** Equal events within this time are one Event with a count. */
const sameMs = 600_000;
/** Minimum time between writes of a count. Events in between are included in the next write. */
const countMs = 20_000;
/** Rate limit per job: a burst, then one event per `refillSeconds`. */
const burst = 25;
const refillSeconds = 60;

interface Written {
  name: string | undefined;
  count: number;
  writtenMs: number;
}

/** Recent events of one job. */
interface RecentEvents {
  readonly limit: RateLimit;
  readonly written: Map<string, Written>;
}

/** Remembers recent events of each job, so that repeated ones don't fill the cluster's store. */
export class EventMemory {
  readonly #jobs = new Map<string, RecentEvents>();

  /** @param uid - UID of the job. @param nowMs - monotonic. */
  decide(uid: string, event: JobEvent, nowMs: number): EventDecision {
    const job = this.#job(uid);
    const key = keyOf(event);
    const before = job.written.get(key);
    if (before && nowMs - before.writtenMs < sameMs) {
      before.count += 1;
      if (before.name === undefined || nowMs - before.writtenMs < countMs) {
        return { action: 'drop', reason: 'an equal Event was written recently' };
      }
      before.writtenMs = nowMs;
      return { action: 'count', name: before.name, count: before.count };
    }
    if (!job.limit.tryTake(nowMs)) return { action: 'drop', reason: `more than ${burst} Events in a short time` };
    this.#forgetOld(job.written, nowMs);
    job.written.set(key, { name: undefined, count: 1, writtenMs: nowMs });
    return { action: 'create' };
  }

  /** Records the name of the Event created for `event`. */
  created(uid: string, event: JobEvent, name: string): void {
    const written = this.#jobs.get(uid)?.written.get(keyOf(event));
    if (written) written.name = name;
  }

  forget(uid: string): void {
    this.#jobs.delete(uid);
  }

  #job(uid: string): RecentEvents {
    const job = this.#jobs.get(uid) ?? { limit: new RateLimit(1 / refillSeconds, burst), written: new Map() };
    this.#jobs.set(uid, job);
    return job;
  }

  #forgetOld(written: Map<string, Written>, nowMs: number): void {
    for (const [key, { writtenMs }] of written) if (nowMs - writtenMs >= sameMs) written.delete(key);
  }
}

/** Key of fixed length, because a message may have 1,000 characters. */
function keyOf({ reason, message, warning }: JobEvent): string {
  return createHash('sha256')
    .update(JSON.stringify([reason, message, warning]))
    .digest('base64');
}
