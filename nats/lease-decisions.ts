import { isEnd } from '../coordinator/state/events.js';
import type { RegistryEntry } from './payloads.js';

/** Decisions about who owns a job. The registry's entry is a lease: its owner renews it, and loses it when silent. */

/** How long an entry must not have changed before another coordinator takes the job over. */
export const leaseMs = 10_000;
/** How often an owner renews its entry. */
export const renewMs = 2_000;
/** Looks at an entry that are further apart say nothing of what was in between. */
export const maxLookGapMs = 3_000;

/** What a coordinator that wants a job has seen of its entry. */
export interface Claim {
  /** The current entry; with a token, only if it is signed with it. */
  readonly entry: RegistryEntry | undefined;
  readonly owner: string;
  /** Whether the owner has shown a sign of life since this coordinator began to watch it. */
  readonly changed: boolean;
  /** Time without a sign of life, by this coordinator's clock. */
  readonly unchangedMs: number;
  /** Whether there is an entry that isn't signed with this coordinator's token. */
  readonly forged: boolean;
  /** Whether to replace such an entry: there is a run in the directory, or `--nats-start-over`. */
  readonly mayReplace: boolean;
}

/** Whether a coordinator gets a job. */
export function decideClaim({ entry, owner, changed, unchangedMs, forged, mayReplace }: Claim): {
  readonly action: 'create' | 'take' | 'wait' | 'refuse' | 'refuse-forged';
  readonly reason: string;
} {
  if (forged) {
    const reason = "its entry isn't signed with the token of this coordinator";
    return { action: mayReplace ? 'take' : 'refuse-forged', reason };
  }
  if (!entry) return { action: 'create', reason: 'nobody has this job yet' };
  const who = `${entry.owner} (${entry.state}, step ${entry.step} of ${entry.totalSteps}, ${entry.address ?? 'no address yet'})`;
  if (entry.owner === owner) return { action: 'take', reason: 'it is ours' };
  if (isEnd(entry.state)) return { action: 'take', reason: `${who} is done with it` };
  if (changed) return { action: 'refuse', reason: `${who} works on it` };
  if (unchangedMs < leaseMs) return { action: 'wait', reason: `${who} had it` };
  return { action: 'take', reason: `${who} has not been heard of for ${leaseMs / 1000} s` };
}

/**
 * What an owner does whose renewal did not find the entry as it had left it.
 * @param entry - the entry found instead; with a token, only if it is signed with it.
 * @param answers - whether the owner that it names is alive; anybody may have restored an old entry.
 */
export function decideConflict(
  entry: RegistryEntry | undefined,
  owner: string,
  answers: boolean,
): 'create' | 'adopt' | 'lost' {
  if (!entry) return 'create';
  // Our own change went through, but NATS was gone before it could say so.
  return entry.owner === owner || !answers ? 'adopt' : 'lost';
}

/** Watches an entry, or its owner's answers, for changes, and measures the time without one. */
export class EntryWatch {
  #revision: number | undefined;
  #sinceMs = 0;
  #lookedMs = -Infinity;
  #changed = false;

  /** @param revision - of the entry, or the count of answers; 0: there is none. */
  look(revision: number, nowMs: number): { readonly changed: boolean; readonly unchangedMs: number } {
    const known = this.#revision !== undefined;
    if (known && revision !== this.#revision) this.#changed = true;
    if (revision !== this.#revision || nowMs - this.#lookedMs > maxLookGapMs) this.#sinceMs = nowMs;
    this.#revision = revision;
    this.#lookedMs = nowMs;
    return { changed: this.#changed, unchangedMs: nowMs - this.#sinceMs };
  }
}
