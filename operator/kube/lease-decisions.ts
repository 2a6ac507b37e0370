/** Decisions about who leads, of several operators. */

export interface LeaseTimes {
  /** A lease that has not changed for as long is free. */
  readonly leaseMs: number;
  /** Whoever leads stops when it could not renew for as long; less than `leaseMs`, so that two never lead. */
  readonly renewLimitMs: number;
  /** Between two looks at the lease. */
  readonly retryMs: number;
}

/** Times of a lease that lasts so long: its holder has two thirds of it, and several tries, to renew it. */
export function leaseTimes(seconds: number): LeaseTimes {
  const leaseMs = 1000 * seconds;
  return { leaseMs, renewLimitMs: Math.round((leaseMs * 2) / 3), retryMs: Math.round((leaseMs * 2) / 15) };
}

/** Spec of a `coordination.k8s.io/v1` Lease. */
export interface LeaseSpec {
  /** '' or absent: nobody's. */
  readonly holderIdentity?: string | undefined;
  readonly leaseDurationSeconds?: number | undefined;
  readonly acquireTime?: string | undefined;
  readonly renewTime?: string | undefined;
  readonly leaseTransitions?: number | undefined;
}

export interface LeaseView {
  /** As it is now; undefined: there is none. */
  readonly lease: LeaseSpec | undefined;
  readonly identity: string;
  /** How long it has not changed, by this process's own clock: other machines' clocks may say anything. */
  readonly unchangedMs: number;
  readonly leaseMs: number;
}

/** Whether to take or keep the lead. */
export function decideLease({ lease, identity, unchangedMs, leaseMs }: LeaseView): {
  readonly action: 'create' | 'take' | 'renew' | 'wait';
  readonly reason: string;
} {
  if (!lease) return { action: 'create', reason: 'nobody has led yet' };
  const holder = lease.holderIdentity ?? '';
  if (holder === identity) return { action: 'renew', reason: 'it is ours' };
  if (holder === '') return { action: 'take', reason: 'its last holder gave it back' };
  // The holder's own promise counts where it is longer than ours.
  const limitMs = Math.max(leaseMs, (lease.leaseDurationSeconds ?? 0) * 1000);
  if (unchangedMs < limitMs) return { action: 'wait', reason: `${holder} leads` };
  return { action: 'take', reason: `${holder} has not been heard of for ${Math.round(limitMs / 1000)} s` };
}

/** The spec with which `identity` takes or renews a lease. */
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

/** The spec with which a holder gives its lease back. */
export function releasedLease(before: LeaseSpec, now: Date): LeaseSpec {
  return { ...before, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) };
}

/** Whether whoever leads has to stop. @param sinceRenewedMs - since the last renewal that was begun and succeeded. */
export function mustStopLeading(sinceRenewedMs: number, { renewLimitMs }: LeaseTimes): boolean {
  return sinceRenewedMs >= renewLimitMs;
}

/** Whole milliseconds that a try to renew may take: a second one fits into the time, and none goes on beyond it. */
export function renewTryMs(sinceRenewedMs: number, { renewLimitMs }: LeaseTimes): number {
  return Math.max(1, Math.floor(Math.min(renewLimitMs - sinceRenewedMs, renewLimitMs / 2)));
}

/** Kubernetes wants microseconds here. */
function microTime(now: Date): string {
  return now.toISOString().replace('Z', '000Z');
}
