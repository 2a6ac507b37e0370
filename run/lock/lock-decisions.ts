/** Decision about a held lock: a pure function with the time as an argument. */

/** Age at which a lock counts as abandoned; its holder renews it every 5 s. */
export const staleMs = 15_000;
/** An old lock is taken only after it has stayed unchanged for this long: clocks may differ between machines. */
const watchMs = 7_500;

export interface HeldLock {
  /** Undefined if the lock doesn't name it. */
  readonly holder: { readonly host: string; readonly pid: number } | undefined;
  /** Time since it was renewed, by the clocks of both machines, in ms. */
  readonly ageMs: number;
  /** Time for which this process has seen it unchanged, in ms. */
  readonly watchedMs: number;
  readonly self: { readonly host: string; readonly pid: number };
  /** True if a process with the holder's id runs on this machine. */
  readonly isAlive: boolean;
}

export interface LockDecision {
  readonly action: 'take' | 'wait' | 'refuse';
  readonly reason: string;
}

/**
 * Decides what to do about a held lock: `take` it if its holder has ended (known on the same machine only) or has
 * stopped renewing it, `refuse` if the holder is running, else `wait`.
 */
export function decideLock({ holder, ageMs, watchedMs, self, isAlive }: HeldLock): LockDecision {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'an unknown process';
  const isStale = watchedMs >= staleMs || (ageMs >= staleMs && watchedMs >= watchMs);
  if (isStale) return { action: 'take', reason: `${who} has not renewed it for ${staleMs / 1000} s` };
  if (holder?.host !== self.host) return { action: 'wait', reason: `${who} holds it` };
  // The first process of a restarted container has the same id as its predecessor.
  if (holder.pid === self.pid) return { action: 'take', reason: `${who} was this process's predecessor` };
  if (!isAlive) return { action: 'take', reason: `${who} has ended` };
  if (ageMs >= staleMs) return { action: 'wait', reason: `${who} holds it and does not renew it` };
  return { action: 'refuse', reason: `${who} is using it` };
}
