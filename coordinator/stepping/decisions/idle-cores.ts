/** A worker with the work it is about to be given. */
export interface HostShare {
  readonly workerId: string;
  readonly host: string;
  /** Cores that the workers of its host share, if it can compute wide: with two threads, to the same bits; else 0. */
  readonly cores: number;
  /** Shards that it computes, one after the other, in about the same time each. */
  readonly shards: number;
}

const wideThreads = 2;

/**
 * How many of each worker's shards, the last ones, are to be computed wide: those during which so few workers of the
 * host have work left that there are two cores for each. With 5 shards on 2 workers and 2 cores, that is the third
 * shard of the worker that has three.
 */
export function decideWide(workers: readonly HostShare[]): ReadonlyMap<string, number> {
  return new Map(workers.map((worker) => [worker.workerId, wideShards(worker, workers)]));
}

function wideShards({ host, cores, shards }: HostShare, workers: readonly HostShare[]): number {
  const mates = workers.filter((mate) => mate.host === host);
  const isWide = (position: number) => cores >= wideThreads * mates.filter((mate) => mate.shards > position).length;
  let first = shards;
  while (first > 0 && isWide(first - 1)) first--;
  return shards - first;
}
