import { decideAssignment } from '../../job/assignment.js';
import { decideBackupShards } from './decisions/backup.js';
import { type ItemNeeds, type OpenItem, splitBatches } from './decisions/owners.js';

/** Shards and evaluation batches whose data a worker fetches. */
export interface Data {
  readonly shards: ReadonlySet<number>;
  readonly batches: ReadonlySet<number>;
}

type Items = ReadonlyMap<string, readonly number[]>;

/** A plan for the workers present, by their ids. */
export interface Plan {
  /** Shards that each worker computes. */
  readonly assigned: Items;
  /** Shards that workers without any fetch ahead, as backups. */
  readonly backups: Items;
  readonly batches: Items;
  readonly reason: string;
}

const noData: Data = { shards: new Set(), batches: new Set() };
const noPlan: Plan = { assigned: new Map(), backups: new Map(), batches: new Map(), reason: '' };

/** Bookkeeping of the current plan, and of the data that workers fetch beyond it. */
export class WorkPlan {
  #plan = noPlan;
  /** Data that a worker fetches beyond its share of the plan: for an audit, or as backup of a straggler. */
  readonly #lent = new Map<string, Data>();

  constructor(
    private readonly shards: number,
    private readonly evaluationBatches: number,
  ) {}

  /** The current plan. */
  get current(): Plan {
    return this.#plan;
  }

  assignedTo(workerId: string): readonly number[] {
    return this.#plan.assigned.get(workerId) ?? [];
  }

  /** @param workers - in the order in which they joined. @param holding - shards whose data each worker has. */
  decide(workers: readonly string[], holding: ReadonlyMap<string, ReadonlySet<number>>): Plan {
    const { shards, evaluationBatches } = this;
    const previous = this.#plan.assigned;
    const { assignment, reason } = decideAssignment({ shards, workers, previous, holding });
    const backups = decideBackupShards(assignment, holding);
    return { assigned: assignment, backups, batches: splitBatches(evaluationBatches, workers), reason };
  }

  /** Makes a plan the current one. @returns false if the largest number of shards per worker changed. */
  adopt(plan: Plan): boolean {
    const loadBefore = largestLoad(this.#plan);
    this.#plan = plan;
    return largestLoad(plan) === loadBefore;
  }

  /** Open items with the workers that the plan names for them. */
  planned(items: readonly { readonly item: number; readonly needs: ItemNeeds }[]): OpenItem[] {
    const [ofShard, ofBatch] = [workersByItem(this.#plan.assigned), workersByItem(this.#plan.batches)];
    return items.map(({ item, needs }) => {
      if ('batch' in needs) return { item, planned: ofBatch.get(needs.batch) };
      return { item, planned: ofShard.get(needs.shard), ...needs };
    });
  }

  /**
   * Data that a worker must hold: its share of the plan, data lent to it, and data of the items it owes, even if the
   * plan has since moved them.
   */
  dataOf(workerId: string, owed: readonly ItemNeeds[], plan: Plan = this.#plan): Data {
    const of = (items: Items) => items.get(workerId) ?? [];
    const lent = this.#lent.get(workerId) ?? noData;
    const own = dataFor(owed);
    return {
      shards: new Set([...own.shards, ...of(plan.assigned), ...of(plan.backups), ...lent.shards]),
      batches: new Set([...own.batches, ...of(plan.batches), ...lent.batches]),
    };
  }

  /** Lends a worker the data of `needs` that it neither holds nor fetches. @returns false if it lacks none. */
  lend(
    { workerId, holding }: { readonly workerId: string; readonly holding: ReadonlySet<number> },
    needs: readonly ItemNeeds[],
    owed: readonly ItemNeeds[],
  ): boolean {
    const fetched = this.dataOf(workerId, owed);
    const lacking = needs.filter((need) =>
      'shard' in need ? !holding.has(need.shard) && !fetched.shards.has(need.shard) : !fetched.batches.has(need.batch),
    );
    if (lacking.length === 0) return false;
    const { shards, batches } = this.#lent.get(workerId) ?? noData;
    const more = dataFor(lacking);
    this.#lent.set(workerId, {
      shards: new Set([...shards, ...more.shards]),
      batches: new Set([...batches, ...more.batches]),
    });
    return true;
  }

  /** Forgets what was lent to a worker that is gone. */
  forget(workerId: string): void {
    this.#lent.delete(workerId);
  }
}

function largestLoad({ assigned }: Plan): number {
  return Math.max(0, ...[...assigned.values()].map((shards) => shards.length));
}

function dataFor(needs: readonly ItemNeeds[]): Data {
  return {
    shards: new Set(needs.flatMap((need) => ('shard' in need ? need.shard : []))),
    batches: new Set(needs.flatMap((need) => ('batch' in need ? need.batch : []))),
  };
}

/** Worker that a plan names for each shard or batch. */
function workersByItem(plan: Items): Map<number, string> {
  return new Map([...plan].flatMap(([workerId, items]) => items.map((item) => [item, workerId] as const)));
}
