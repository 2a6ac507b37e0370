import { mostThreads } from '../../../job/spec.js';

/** A worker with its share of a dispatch. */
export interface HostShare {
  readonly workerId: string;
  readonly host: string;
  /** Cores shared by the workers of its host; 1 if it keeps its number of threads. */
  readonly cores: number;
  /** Shards that it computes one after the other, each in about the same time. */
  readonly shards: number;
}

/**
 * Threads for each of every worker's shards: the cores of the host, divided among its workers that still compute then.
 * With 5 shards on 2 workers and 2 cores, the third shard of the worker that has three gets two threads. Threads change
 * no bit.
 * @param least - threads that the job asks for.
 */
export function decideThreads(workers: readonly HostShare[], least: number): ReadonlyMap<string, readonly number[]> {
  return new Map(
    workers.map((worker) => {
      const mates = workers.filter(({ host }) => host === worker.host);
      return [worker.workerId, Array.from({ length: worker.shards }, (_, i) => threadsAt(worker, mates, i, least))];
    }),
  );
}

function threadsAt({ cores }: HostShare, mates: readonly HostShare[], position: number, least: number): number {
  const active = mates.filter(({ shards }) => shards > position).length;
  return Math.max(least, Math.min(mostThreads, Math.floor(cores / active)));
}
