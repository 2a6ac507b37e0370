import { decideAuditor } from './audit.js';

/** A ready worker. */
export interface Candidate {
  readonly workerId: string;
  /** Shards whose data it has. */
  readonly holding: ReadonlySet<number>;
}

/** Data that an item needs: a test batch, or a shard; and the item whose computation it repeats, if any. */
export type ItemNeeds = { readonly batch: number } | { readonly shard: number; readonly audits?: OpenItem['audits'] };

/** An item of a task that is neither done nor dispatched: a shard of a step, its audit, or a batch of an evaluation. */
export interface OpenItem {
  readonly item: number;
  /** The worker that the plan names, present or not. */
  readonly planned?: string | undefined;
  /** The shard whose data it needs; undefined for a batch of an evaluation. */
  readonly shard?: number | undefined;
  /** Set if it repeats another item's computation, preferably on a worker other than `by`. */
  readonly audits?: { readonly item: number; readonly by: string | undefined } | undefined;
}

/**
 * Assigns each open item to one of `candidates`, so that nothing is dispatched to an absent worker, and each item has
 * an owner as soon as there is a candidate.
 *
 * An item goes to its planned worker if that holds the data, else to any worker that does, so that a shard that moves
 * doesn't delay the step. If none does, it goes to the planned worker if present, else to the least loaded one.
 * @param candidates - in order of preference.
 */
export function decideOwners<C extends Candidate>(
  items: readonly OpenItem[],
  candidates: readonly C[],
): Map<C, number[]> {
  const shares = new Map<C, number[]>();
  const owners = new Map<number, C>();
  const load = (candidate: C) => shares.get(candidate)?.length ?? 0;
  for (const open of items) {
    const { audits } = open;
    const first = audits && (audits.by ?? owners.get(audits.item)?.workerId);
    const owner = audits ? auditorOf(open, first, candidates, load) : ownerOf(open, candidates, load);
    if (!owner) continue;
    owners.set(open.item, owner);
    shares.set(owner, [...(shares.get(owner) ?? []), open.item]);
  }
  return shares;
}

function ownerOf<C extends Candidate>(
  { planned, shard }: OpenItem,
  candidates: readonly C[],
  load: (candidate: C) => number,
): C | undefined {
  const target = candidates.find(({ workerId }) => workerId === planned);
  if (target && (shard === undefined || target.holding.has(shard))) return target;
  const holder = candidates.find(({ holding }) => shard !== undefined && holding.has(shard));
  return holder ?? target ?? candidates.toSorted((a, b) => load(a) - load(b))[0];
}

function auditorOf<C extends Candidate>(
  { shard }: OpenItem,
  first: string | undefined,
  candidates: readonly C[],
  load: (candidate: C) => number,
): C | undefined {
  const loaded = candidates.map((candidate) => ({
    workerId: candidate.workerId,
    holding: candidate.holding,
    load: load(candidate),
  }));
  const auditor = decideAuditor(shard!, first, loaded);
  return candidates.find(({ workerId }) => workerId === auditor) ?? candidates[0];
}

/** Spreads the batches of an evaluation over the workers in contiguous runs, the first workers taking one more. */
export function splitBatches(batches: number, workers: readonly string[]): Map<string, number[]> {
  const split = new Map<string, number[]>();
  workers.forEach((workerId, index) => {
    const begin = Math.ceil((index * batches) / workers.length);
    const end = Math.ceil(((index + 1) * batches) / workers.length);
    split.set(
      workerId,
      Array.from({ length: end - begin }, (_, i) => begin + i),
    );
  });
  return split;
}
