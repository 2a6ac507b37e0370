import { isEnd } from '../coordinator/state/events.js';
import type { RegistryEntry } from './payloads.js';

/** Decisions about the ownership of a job. The registry's entry is a lease that its owner must renew. */

/** Time without a change of the entry after which another coordinator takes the job over. */
export const leaseMs = 10_000;
/** Interval at which an owner renews its entry. */
export const renewMs = 2_000;
/** Observations of an entry that are further apart don't show that it was unchanged in between. */
const maxObservationGapMs = 3_000;

/** A job's entry as observed by a coordinator that claims the job. */
export interface Claim {
  /** The current entry; with a token, only if it is signed with it. */
  readonly entry: RegistryEntry | undefined;
  readonly owner: string;
  /** True if the owner has given a sign of life since this coordinator started watching. */
  readonly changed: boolean;
  /** Time without a sign of life, by this coordinator's clock. */
  readonly unchangedMs: number;
  /** True if there is an entry that isn't signed with this coordinator's token. */
  readonly forged: boolean;
  /** Replace such an entry: the directory has a run, or `--nats-start-over` is set. */
  readonly mayReplace: boolean;
}

/** Decides whether a coordinator gets a job. */
export function decideClaim({ entry, owner, changed, unchangedMs, forged, mayReplace }: Claim): {
  readonly action: 'create' | 'take' | 'wait' | 'refuse' | 'refuse-forged';
  readonly reason: string;
} {
  if (forged) {
    const reason = "its entry isn't signed with the token of this coordinator";
    return { action: mayReplace ? 'take' : 'refuse-forged', reason };
  }
  if (!entry) return { action: 'create', reason: 'no coordinator has this job yet' };
  const other = `${entry.owner} (${entry.state}, step ${entry.step} of ${entry.totalSteps}, ${entry.address ?? 'no address yet'})`;
  if (entry.owner === owner) return { action: 'take', reason: 'this coordinator owns it' };
  if (isEnd(entry.state)) return { action: 'take', reason: `${other} has ended` };
  if (changed) return { action: 'refuse', reason: `${other} owns it` };
  if (unchangedMs < leaseMs) return { action: 'wait', reason: `${other} owned it` };
  return { action: 'take', reason: `${other} has been silent for ${leaseMs / 1000} s` };
}

/**
 * Decides what an owner does when its entry was changed by another client.
 * @param entry - the entry found instead; with a token, only if it is signed with it.
 * @param answers - true if the owner that it names is alive; anyone may have restored an old entry.
 */
export function decideConflict(
  entry: RegistryEntry | undefined,
  owner: string,
  answers: boolean,
): 'create' | 'adopt' | 'lost' {
  if (!entry) return 'create';
  // This coordinator's own change succeeded, but NATS disconnected before it confirmed that.
  return entry.owner === owner || !answers ? 'adopt' : 'lost';
}

/** Detects changes of an entry, or replies of its owner, and measures the time without one. */
export class EntryWatch {
  #revision: number | undefined;
  #sinceMs = 0;
  #observedMs = -Infinity;
  #changed = false;

  /** @param revision - of the entry, or the number of replies; 0 if there is none. */
  observe(revision: number, nowMs: number): { readonly changed: boolean; readonly unchangedMs: number } {
    const known = this.#revision !== undefined;
    if (known && revision !== this.#revision) this.#changed = true;
    if (revision !== this.#revision || nowMs - this.#observedMs > maxObservationGapMs) this.#sinceMs = nowMs;
    this.#revision = revision;
    this.#observedMs = nowMs;
    return { changed: this.#changed, unchangedMs: nowMs - this.#sinceMs };
  }
}
