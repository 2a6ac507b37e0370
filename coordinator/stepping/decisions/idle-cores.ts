/** A worker with its share of a dispatch. */
export interface HostShare {
  readonly workerId: string;
  readonly host: string;
  /** Cores shared by the workers of its host, if extra threads give it the same bits; else 0. */
  readonly cores: number;
  /** Shards that it computes one after the other, each in about the same time. */
  readonly shards: number;
}

/** Threads of a worker that uses extra threads. */
const threads = 2;

/**
 * Number of each worker's last shards to compute with extra threads: those during which so few workers of the host still
 * have work that each can use two cores. With 5 shards on 2 workers and 2 cores, that is the third shard of the worker
 * that has three.
 */
export function decideExtraThreads(workers: readonly HostShare[]): ReadonlyMap<string, number> {
  return new Map(workers.map((worker) => [worker.workerId, shardsWithExtraThreads(worker, workers)]));
}

function shardsWithExtraThreads({ host, cores, shards }: HostShare, workers: readonly HostShare[]): number {
  const mates = workers.filter((mate) => mate.host === host);
  const hasCores = (position: number) => cores >= threads * mates.filter((mate) => mate.shards > position).length;
  let first = shards;
  while (first > 0 && hasCores(first - 1)) first--;
  return shards - first;
}
