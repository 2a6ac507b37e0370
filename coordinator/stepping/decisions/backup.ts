/**
 * Which shards the workers without an assignment fetch ahead, most urgent first, so that one of them can stand in for
 * any worker that is lost.
 *
 * Each working worker's shards go to one standby as a whole, the largest loads first, to the standby that fetches the
 * least. Once all are covered, those still without anything hold second copies, again of the largest loads.
 * @param assignment - shards of every ready worker; those with none stand by.
 * @param holding - shards whose data a worker has already.
 * @returns shards of each standby.
 */
export function decideStandby(
  assignment: ReadonlyMap<string, readonly number[]>,
  holding: ReadonlyMap<string, ReadonlySet<number>>,
): Map<string, number[]> {
  const standby = new Map<string, number[]>();
  for (const [workerId, shards] of assignment) if (shards.length === 0) standby.set(workerId, []);
  const loads = [...assignment.values()].filter((shards) => shards.length > 0).sort((a, b) => b.length - a.length);
  if (standby.size === 0 || loads.length === 0) return standby;
  for (let i = 0; i < Math.max(loads.length, standby.size); i++) {
    const shards = loads[i % loads.length]!;
    cheapest(standby, shards, holding)?.push(...shards);
  }
  return standby;
}

/** Shards of the standby with the fewest to fetch so far; among equals, the first that lacks the fewest of `shards`. */
function cheapest(
  standby: ReadonlyMap<string, number[]>,
  shards: readonly number[],
  holding: ReadonlyMap<string, ReadonlySet<number>>,
): number[] | undefined {
  const fewest = Math.min(...[...standby.values()].map((told) => told.length));
  let best: number[] | undefined;
  let bestLacks = Infinity;
  for (const [workerId, told] of standby) {
    if (told.length > fewest || bestLacks === 0) continue;
    const lacks = lackedBy(holding.get(workerId), shards);
    if (lacks < bestLacks) [best, bestLacks] = [told, lacks];
  }
  return best;
}

function lackedBy(held: ReadonlySet<number> | undefined, shards: readonly number[]): number {
  if (held === undefined || held.size === 0) return shards.length;
  return shards.reduce((lacks, shard) => lacks + (held.has(shard) ? 0 : 1), 0);
}
