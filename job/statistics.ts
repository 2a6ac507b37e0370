/** Batch statistics of a shard in one step, in the layout of the model's state. */
export interface ShardStatistics {
  readonly samples: number;
  /** Batch mean or biased batch variance for each running value, `[stateCount]`. */
  readonly statistics: Float32Array;
}

/**
 * Updates the running statistics in place with one step's batch statistics:
 * running = m · running + (1 − m) · batch, where batch = Σ(samples · statistics) / Σ samples over the shards.
 *
 * The sum is f64, in the order of `perShard`, which must be shard order; the result is rounded to f32 once. Shards
 * without samples in this step are skipped.
 * @param running - `[stateCount]`, modified.
 * @param momentum - m of each value, `[stateCount]`.
 */
export function foldStatistics(
  running: Float32Array,
  momentum: Float32Array,
  perShard: readonly ShardStatistics[],
): void {
  const present = perShard.filter((shard) => shard.samples > 0);
  const samples = present.reduce((sum, shard) => sum + shard.samples, 0);
  if (samples === 0) return;
  for (let i = 0; i < running.length; i++) {
    let weighted = 0;
    for (const shard of present) weighted += shard.samples * shard.statistics[i]!;
    running[i] = momentum[i]! * running[i]! + (1 - momentum[i]!) * (weighted / samples);
  }
}
