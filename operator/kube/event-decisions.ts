import { createHash } from 'node:crypto';
import { RateLimit } from './rate-limit.js';

/** Something about a job that people shall see in `kubectl describe`. */
export interface JobEvent {
  /** In one word. */
  readonly reason: string;
  readonly message: string;
  readonly warning: boolean;
}

/** What is written for a event. */
export type EventDecision =
  | { readonly action: 'create' }
  /** The same has been said lately: its Event's count goes up. */
  | { readonly action: 'count'; readonly name: string; readonly count: number }
  | { readonly action: 'drop'; readonly reason: string };

/** The same words within as long are one Event with a count. */
const sameMs = 600_000;
/** An Event's count is written at most as often; what comes in between is counted with the next. */
const countMs = 20_000;
/** Of one job: a burst, and then one in so many seconds. */
const burst = 25;
const refillSeconds = 60;

interface Written {
  name: string | undefined;
  count: number;
  writtenMs: number;
}

/** What has been said of one job. */
interface Said {
  readonly limit: RateLimit;
  readonly said: Map<string, Written>;
}

/** Remembers what has been said of each job, so that what repeats does not fill the cluster's store. */
export class EventMemory {
  readonly #jobs = new Map<string, Said>();

  /** @param uid - of the job. @param nowMs - of a monotonic clock. */
  decide(uid: string, event: JobEvent, nowMs: number): EventDecision {
    const job = this.#job(uid);
    const key = keyOf(event);
    const before = job.said.get(key);
    if (before && nowMs - before.writtenMs < sameMs) {
      before.count += 1;
      if (before.name === undefined || nowMs - before.writtenMs < countMs) {
        return { action: 'drop', reason: 'its Event was written just now' };
      }
      before.writtenMs = nowMs;
      return { action: 'count', name: before.name, count: before.count };
    }
    if (!job.limit.tryTake(nowMs)) return { action: 'drop', reason: `more than ${burst} Events in a short time` };
    this.#forgetOld(job.said, nowMs);
    job.said.set(key, { name: undefined, count: 1, writtenMs: nowMs });
    return { action: 'create' };
  }

  /** @param name - of the Event that was created for a event. */
  created(uid: string, event: JobEvent, name: string): void {
    const written = this.#jobs.get(uid)?.said.get(keyOf(event));
    if (written) written.name = name;
  }

  forget(uid: string): void {
    this.#jobs.delete(uid);
  }

  #job(uid: string): Said {
    const job = this.#jobs.get(uid) ?? { limit: new RateLimit(1 / refillSeconds, burst), said: new Map() };
    this.#jobs.set(uid, job);
    return job;
  }

  #forgetOld(said: Map<string, Written>, nowMs: number): void {
    for (const [key, { writtenMs }] of said) if (nowMs - writtenMs >= sameMs) said.delete(key);
  }
}

/** Key of fixed length: a message may have 1,000 characters, and differ each time. */
function keyOf({ reason, message, warning }: JobEvent): string {
  return createHash('sha256')
    .update(JSON.stringify([reason, message, warning]))
    .digest('base64');
}
