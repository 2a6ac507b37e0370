/** Who computes what: pure functions of what is known of the workers. */

/** A worker as the decisions see it. */
export interface WorkerView {
  readonly workerId: string;
  /** Its programs are compiled. */
  readonly ready: boolean;
  /** Shards whose data it has. */
  readonly holding: ReadonlySet<number>;
}

/**
 * Who computes each shard in the next step: its assigned worker once that one has the data, until then whoever has it,
 * so that a shard that moves does not hold up the step.
 * @returns worker per shard; undefined where no ready worker is assigned or holds it.
 */
export function decideOwners(
  shards: number,
  assigned: ReadonlyMap<string, readonly number[]>,
  workers: readonly WorkerView[],
): (string | undefined)[] {
  const ready = workers.filter((worker) => worker.ready);
  return Array.from({ length: shards }, (_, shard) => {
    const target = ready.find((worker) => assigned.get(worker.workerId)?.includes(shard));
    if (target?.holding.has(shard)) return target.workerId;
    return (ready.find((worker) => worker.holding.has(shard)) ?? target)?.workerId;
  });
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
