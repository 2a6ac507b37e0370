/**
 * Shards that idle workers fetch ahead, most urgent first, so that one of them can replace any worker that is lost.
 *
 * Each working worker's shards go to one idle worker as a whole: the largest loads first, to the worker that fetches the
 * least. Once all are covered, workers still without shards fetch second copies, again of the largest loads.
 * @param assignment - shards of every ready worker; idle workers have none.
 * @param holding - shards whose data a worker already has.
 * @returns shards of each idle worker.
 */
export function decideBackupShards(
  assignment: ReadonlyMap<string, readonly number[]>,
  holding: ReadonlyMap<string, ReadonlySet<number>>,
): Map<string, number[]> {
  const backups = new Map<string, number[]>();
  for (const [workerId, shards] of assignment) if (shards.length === 0) backups.set(workerId, []);
  const loads = [...assignment.values()].filter((shards) => shards.length > 0).sort((a, b) => b.length - a.length);
  if (backups.size === 0 || loads.length === 0) return backups;
  for (let i = 0; i < Math.max(loads.length, backups.size); i++) {
    const shards = loads[i % loads.length]!;
    cheapest(backups, shards, holding)?.push(...shards);
  }
  return backups;
}

/** List of the worker with the fewest shards so far; among equals, the first that lacks the fewest of `shards`. */
function cheapest(
  backups: ReadonlyMap<string, number[]>,
  shards: readonly number[],
  holding: ReadonlyMap<string, ReadonlySet<number>>,
): number[] | undefined {
  const fewest = Math.min(...[...backups.values()].map((listed) => listed.length));
  let best: number[] | undefined;
  let bestLacks = Infinity;
  for (const [workerId, listed] of backups) {
    if (listed.length > fewest || bestLacks === 0) continue;
    const lacks = lackedBy(holding.get(workerId), shards);
    if (lacks < bestLacks) [best, bestLacks] = [listed, lacks];
  }
  return best;
}

function lackedBy(held: ReadonlySet<number> | undefined, shards: readonly number[]): number {
  if (held === undefined || held.size === 0) return shards.length;
  return shards.reduce((lacks, shard) => lacks + (held.has(shard) ? 0 : 1), 0);
}
