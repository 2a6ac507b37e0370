/** Decisions of the leader election. */

export interface LeaseTimes {
  /** A lease unchanged for this long is free. */
  readonly leaseMs: number;
  /** A leader that can't renew for this long stops; less than `leaseMs`, so there are never two leaders. */
  readonly renewLimitMs: number;
  /** Interval between attempts to acquire or renew. */
  readonly retryMs: number;
}

/** Times for a lease of this duration. Its holder has two thirds of it, and several attempts, to renew it. */
export function leaseTimes(seconds: number): LeaseTimes {
  const leaseMs = 1000 * seconds;
  return { leaseMs, renewLimitMs: Math.round((leaseMs * 2) / 3), retryMs: Math.round((leaseMs * 2) / 15) };
}

/** Spec of a `coordination.k8s.io/v1` Lease. */
export interface LeaseSpec {
  /** '' or absent: free. */
  readonly holderIdentity?: string | undefined;
  readonly leaseDurationSeconds?: number | undefined;
  readonly acquireTime?: string | undefined;
  readonly renewTime?: string | undefined;
  readonly leaseTransitions?: number | undefined;
}

export interface LeaseView {
  /** Current lease; undefined if there is none. */
  readonly lease: LeaseSpec | undefined;
  readonly identity: string;
  /** Time since its last change by this process's clock: other machines' clocks may be wrong. */
  readonly unchangedMs: number;
  readonly leaseMs: number;
}

/** Decides whether to acquire, renew or wait for the lease. */
export function decideLease({ lease, identity, unchangedMs, leaseMs }: LeaseView): {
  readonly action: 'create' | 'take' | 'renew' | 'wait';
  readonly reason: string;
} {
  if (!lease) return { action: 'create', reason: 'there is none' };
  const holder = lease.holderIdentity ?? '';
  if (holder === identity) return { action: 'renew', reason: 'this operator holds it' };
  if (holder === '') return { action: 'take', reason: 'its holder has released it' };
  // The holder's duration applies if it is longer than ours.
  const limitMs = Math.max(leaseMs, (lease.leaseDurationSeconds ?? 0) * 1000);
  if (unchangedMs < limitMs) return { action: 'wait', reason: `${holder} holds it` };
  return { action: 'take', reason: `${holder} has not renewed it for ${Math.round(limitMs / 1000)} s` };
}

/** Spec of a lease acquired or renewed by `identity`. */
export function heldLease(before: LeaseSpec | undefined, identity: string, leaseMs: number, now: Date): LeaseSpec {
  const time = microTime(now);
  const ours = before?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: ours ? (before.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (before && !ours ? 1 : 0),
  };
}

/** Spec of a released lease. */
export function releasedLease(before: LeaseSpec, now: Date): LeaseSpec {
  return { ...before, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) };
}

/** True if the leader must stop. @param sinceRenewedMs - time since the start of the last successful renewal. */
export function mustStopLeading(sinceRenewedMs: number, { renewLimitMs }: LeaseTimes): boolean {
  return sinceRenewedMs >= renewLimitMs;
}

/** Time limit of an attempt to renew, in whole milliseconds: leaves time for a second attempt, and ends in time. */
export function renewTryMs(sinceRenewedMs: number, { renewLimitMs }: LeaseTimes): number {
  return Math.max(1, Math.floor(Math.min(renewLimitMs - sinceRenewedMs, renewLimitMs / 2)));
}

/** Formats a time with microseconds, as Kubernetes requires for leases. */
function microTime(now: Date): string {
  return now.toISOString().replace('Z', '000Z');
}
