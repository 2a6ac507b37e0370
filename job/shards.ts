/** A run of consecutive samples. */
export interface SampleRange {
  readonly start: number;
  readonly count: number;
}

/**
 * The samples of the training set that belong to `shard`: consecutive, disjoint, complete, sizes differing by one at
 * most. With 5·k shards of CIFAR-10's 50,000 images each training batch is cut into k pieces.
 */
export function shardRange(samples: number, shards: number, shard: number): SampleRange {
  const start = Math.floor((shard * samples) / shards);
  const end = Math.floor(((shard + 1) * samples) / shards);
  return { start, count: end - start };
}
