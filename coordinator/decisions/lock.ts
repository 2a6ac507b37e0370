/** What to do about a lock that somebody holds: a pure function with the time as an argument. */

/** A lock that its holder, which renews it every 5 s, has not renewed for so long is given up. */
export const staleMs = 15_000;
/** How long a lock is watched before it is taken for the age that clocks show: they may differ between machines. */
export const watchMs = 7_500;

export interface HeldLock {
  /** Undefined where the lock does not say. */
  readonly holder: { readonly host: string; readonly pid: number } | undefined;
  /** Since it was renewed, by the clocks of both machines; ms. */
  readonly ageMs: number;
  /** For how long this process has seen it unchanged; ms. */
  readonly watchedMs: number;
  readonly self: { readonly host: string; readonly pid: number };
  /** Whether a process with the holder's id runs on this machine. */
  readonly isAlive: boolean;
}

export interface LockDecision {
  readonly action: 'take' | 'wait' | 'refuse';
  readonly reason: string;
}

/**
 * Take over a lock whose holder is surely gone, which only a process of the same machine can know, or has not renewed it;
 * refuse when the holder is at work; else wait.
 */
export function decideLock({ holder, ageMs, watchedMs, self, isAlive }: HeldLock): LockDecision {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'an unknown process';
  const isStale = watchedMs >= staleMs || (ageMs >= staleMs && watchedMs >= watchMs);
  if (isStale) return { action: 'take', reason: `${who} has not renewed it for ${staleMs / 1000} s` };
  if (holder?.host !== self.host) return { action: 'wait', reason: `${who} holds it` };
  // A container that starts again gives the same id to its first process.
  if (holder.pid === self.pid) return { action: 'take', reason: `${who} was this process's predecessor` };
  if (!isAlive) return { action: 'take', reason: `${who} is gone` };
  if (ageMs >= staleMs) return { action: 'wait', reason: `${who} holds it and does not renew it` };
  return { action: 'refuse', reason: `${who} is using it` };
}
