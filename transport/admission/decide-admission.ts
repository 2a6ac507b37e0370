/**
 * Admission of connections to a port: pure functions of counts, limits and the time.
 *
 * A connection is pending from the moment it is handed to the server until its peer has authenticated. An attacker can
 * only hold pending connections, so limits apply to those and never affect an authenticated one. A connection that ends
 * without authenticating is a failure. It takes one of its address's places until the failure has drained.
 */

/** A count that drains with time. */
export interface Drain {
  readonly level: number;
  readonly atMs: number;
}

export interface DrainLimit {
  /** Number of failures at which no more connections are accepted. */
  readonly burst: number;
  /** Failures that drain per second. */
  readonly perSecond: number;
}

export interface AdmissionLimits {
  /** Pending connections at a time. */
  readonly pending: {
    /** From one address that has no authenticated connection. */
    readonly perAddress: number;
    /** From one address that has an authenticated connection. */
    readonly perKnownAddress: number;
    /** From all addresses without an authenticated connection together. */
    readonly total: number;
  };
  readonly failures: { readonly perAddress: DrainLimit; readonly total: DrainLimit };
  /** Connections that wait until they may become pending. */
  readonly waiting: { readonly perAddress: number; readonly total: number };
  readonly authenticated: { readonly perAddress: number; readonly total: number };
  /** Pending time after which a connection is dropped if another one waits for its place. */
  readonly replaceAfterMs: number;
  /**
   * Longest time that a connection may wait, and longest time that it may then be pending. Known addresses get more
   * time, because hundreds of workers that join at once may need it on busy machines.
   */
  readonly authenticateMs: { readonly unknown: number; readonly known: number };
  /** Bytes that a peer may send before it has authenticated. */
  readonly bytes: number;
}

export interface AddressCounts {
  /** It has, or recently had, an authenticated connection. */
  readonly isKnown: boolean;
  readonly pending: number;
  /** Time that the oldest of them has been pending; 0 without one. */
  readonly oldestMs: number;
  readonly failures: Drain;
}

/** Totals over all unknown addresses. */
export type TotalCounts = Omit<AddressCounts, 'isKnown'>;

/** Decision about the next waiting connection of an address, with the reason. */
export type AdmissionDecision =
  | { readonly action: 'take' }
  | { readonly action: 'replace'; readonly oldestOf: 'address' | 'all'; readonly reason: string }
  | { readonly action: 'wait'; readonly for: 'address' | 'all'; readonly reason: string };

export function decideAdmission(
  address: AddressCounts,
  total: TotalCounts,
  limits: AdmissionLimits,
  nowMs: number,
): AdmissionDecision {
  const { pending, failures, replaceAfterMs } = limits;
  if (isFull(address.failures, failures.perAddress, nowMs))
    return wait('address', 'failed connections of this address');
  if (!address.isKnown && isFull(total.failures, failures.total, nowMs)) return wait('all', 'failed connections');
  const most = address.isKnown ? pending.perKnownAddress : pending.perAddress;
  if (address.pending >= most) {
    return replaceOrWait('address', `${most} connections of one address`, address.oldestMs >= replaceAfterMs);
  }
  if (!address.isKnown && total.pending >= pending.total) {
    return replaceOrWait('all', `${pending.total} connections`, total.oldestMs >= replaceAfterMs);
  }
  return { action: 'take' };
}

function replaceOrWait(of: 'address' | 'all', most: string, isOld: boolean): AdmissionDecision {
  const found = `at most ${most} that haven't authenticated`;
  return isOld ? { action: 'replace', oldestOf: of, reason: found } : wait(of, found);
}

function wait(who: 'address' | 'all', reason: string): AdmissionDecision {
  return { action: 'wait', for: who, reason };
}

/** Selects the connection to drop so that one more fits; `none` while there is room. */
export function decideRoom(
  counts: { readonly ofAddress: number; readonly all: number },
  limits: AdmissionLimits['waiting'],
): 'none' | 'oldest of address' | 'oldest of all' {
  if (counts.ofAddress >= limits.perAddress) return 'oldest of address';
  return counts.all >= limits.total ? 'oldest of all' : 'none';
}

/** Reason to drop a pending connection now; undefined while it may stay. */
export function decideExpiry(
  { ageMs, bytes, isKnown }: { readonly ageMs: number; readonly bytes: number; readonly isKnown: boolean },
  limits: AdmissionLimits,
): 'late' | 'oversized' | undefined {
  if (bytes > limits.bytes) return 'oversized';
  return ageMs >= limits.authenticateMs[isKnown ? 'known' : 'unknown'] ? 'late' : undefined;
}

/** The drain's level at `nowMs`. */
export function levelAt({ level, atMs }: Drain, { perSecond }: DrainLimit, nowMs: number): number {
  return Math.max(0, level - ((nowMs - atMs) / 1000) * perSecond);
}

/** The drain with `more` failures added. It never exceeds twice the burst, so it drains soon. */
export function addFailures(drain: Drain, limit: DrainLimit, more: number, nowMs: number): Drain {
  return { level: Math.min(2 * limit.burst, levelAt(drain, limit, nowMs) + more), atMs: nowMs };
}

function isFull(drain: Drain, limit: DrainLimit, nowMs: number): boolean {
  return levelAt(drain, limit, nowMs) >= limit.burst;
}
