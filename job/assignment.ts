import { children, cover, isHeld, pathTo, sameNode, type TreeNode } from './tree.js';

export interface AssignmentInput {
  readonly shards: number;
  /** Ids of the connected workers, in the order of joining. */
  readonly workers: readonly string[];
  /** Shards assigned to each worker so far, connected or not. */
  readonly previous: ReadonlyMap<string, readonly number[]>;
  /** Shards whose data a worker has cached, as far as known. */
  readonly holding?: ReadonlyMap<string, ReadonlySet<number>>;
}

export interface Assignment {
  /** Shards of every connected worker, ascending, in the order of `workers`; empty for idle workers. */
  readonly assignment: Map<string, number[]>;
  /** Decision and reason in one line, for log and status. */
  readonly reason: string;
}

/**
 * Assigns shards to workers.
 *
 * Minimizes, in this order: the largest load, because every step waits for it; the number of shards that move, which go
 * to workers that have their data if possible; the partials per step (tree nodes sent), by a greedy search that isn't
 * always optimal. A worker that can't shorten a step stays idle. Deterministic: the result depends only on the order of
 * `workers` and the maps.
 */
export function decideAssignment({ shards, workers, previous, holding }: AssignmentInput): Assignment {
  const capacity = Math.ceil(shards / Math.max(Math.min(workers.length, shards), 1));
  const before = previousOwners({ shards, workers, previous });
  const kept = groupByWorker(before, workers.length);
  const owners = new Owners(shards, workers.length);
  kept.forEach((own, worker) => keepShards(owners, worker, own, capacity));
  const held = workers.map((id) => holding?.get(id) ?? noShards);
  assignFree(owners, capacity, (worker, node) => isHeld(node, held[worker]!));
  assignFree(owners, capacity, () => true);
  const isFresh = (worker: number) => kept[worker]!.length === 0 && held[worker]!.size === 0;
  const assignment = nameOwners(owners, workers, isFresh);
  return { assignment, reason: explain(assignment, before) };
}

const noShards: ReadonlySet<number> = new Set();

/** Assignment under construction; workers by index. */
class Owners {
  readonly ofShard: (number | undefined)[];
  readonly loads: number[];

  constructor(shards: number, workers: number) {
    this.ofShard = new Array<undefined>(shards).fill(undefined);
    this.loads = new Array<number>(workers).fill(0);
  }

  assign(node: TreeNode, worker: number): void {
    this.ofShard.fill(worker, node.first, node.first + node.count);
    this.loads[worker]! += node.count;
  }

  /** Worker that holds all of `node`, if there is one. */
  ofNode({ first, count }: TreeNode): number | undefined {
    const owner = this.ofShard[first];
    for (let shard = first + 1; shard < first + count; shard++) if (this.ofShard[shard] !== owner) return undefined;
    return owner;
  }
}

/** Index of the connected worker that held each shard so far. */
function previousOwners({ shards, workers, previous }: AssignmentInput): (number | undefined)[] {
  const before = new Array<number | undefined>(shards).fill(undefined);
  workers.forEach((id, worker) => {
    for (const shard of previous.get(id) ?? []) if (shard < shards) before[shard] ??= worker;
  });
  return before;
}

/** Shards of each worker, ascending. */
function groupByWorker(ofShard: readonly (number | undefined)[], workers: number): number[][] {
  const sets = Array.from({ length: workers }, (): number[] => []);
  ofShard.forEach((owner, shard) => owner !== undefined && sets[owner]!.push(shard));
  return sets;
}

/** Keeps as many shards of `worker` as `capacity` permits, preferring large nodes. */
function keepShards(owners: Owners, worker: number, own: readonly number[], capacity: number): void {
  takeLargestFirst(cover(own, owners.ofShard.length), (node) => {
    const fits = owners.loads[worker]! + node.count <= capacity;
    if (fits) owners.assign(node, worker);
    return fits;
  });
}

/** Assigns unassigned shards to suitable workers with free capacity, large nodes first. */
function assignFree(owners: Owners, capacity: number, suits: (worker: number, node: TreeNode) => boolean): void {
  const shards = owners.ofShard.length;
  const free = owners.ofShard.flatMap((owner, shard) => (owner === undefined ? [shard] : []));
  takeLargestFirst(cover(free, shards), (node) => {
    const hasRoom = (worker: number) => owners.loads[worker]! + node.count <= capacity;
    const best = bestWorker(owners, node, (worker) => hasRoom(worker) && suits(worker, node));
    if (best !== undefined) owners.assign(node, best);
    return best !== undefined;
  });
}

/** Offers nodes to `take`, largest first; a node that is not taken is replaced by its children. */
function takeLargestFirst(nodes: readonly TreeNode[], take: (node: TreeNode) => boolean): void {
  const queue = nodes.toSorted(bySize);
  for (let node = queue.pop(); node; node = queue.pop()) {
    if (take(node)) continue;
    for (const half of children(node) ?? []) queue.splice(insertionIndex(half, queue), 0, half);
  }
}

/** Ascending size; equal sizes by descending first shard, because the queue is taken from its end. */
function bySize(a: TreeNode, b: TreeNode): number {
  return a.count - b.count || b.first - a.first;
}

/** Index at which to insert `node` into the sorted queue. */
function insertionIndex(node: TreeNode, queue: readonly TreeNode[]): number {
  let begin = 0;
  let end = queue.length;
  while (begin < end) {
    const middle = (begin + end) >> 1;
    if (bySize(queue[middle]!, node) < 0) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/**
 * Of the workers that may take `node`, the one that holds its sibling, so that the two share a partial; else the least
 * loaded one; the first among equals.
 */
function bestWorker(owners: Owners, node: TreeNode, mayTake: (worker: number) => boolean): number | undefined {
  const sibling = siblingOf(node, owners.ofShard.length);
  const holder = sibling && owners.ofNode(sibling);
  if (holder !== undefined && mayTake(holder)) return holder;
  let best: number | undefined;
  owners.loads.forEach((load, worker) => {
    if ((best === undefined || load < owners.loads[best]!) && mayTake(worker)) best = worker;
  });
  return best;
}

/** Other child of the node's parent; undefined for the root. */
function siblingOf(node: TreeNode, shards: number): TreeNode | undefined {
  const parent = pathTo(node, shards)?.at(-2);
  return parent && children(parent)!.find((half) => !sameNode(half, node));
}

/**
 * Assignment by worker id. Workers without previous shards and without data are interchangeable: they get their sets in
 * shard order, and the last to join stay idle.
 */
function nameOwners(
  owners: Owners,
  workers: readonly string[],
  isFresh: (worker: number) => boolean,
): Map<string, number[]> {
  const sets = groupByWorker(owners.ofShard, workers.length);
  const firstShard = (set: readonly number[]) => set[0] ?? Infinity;
  const freshSets = sets.filter((_, worker) => isFresh(worker)).sort((a, b) => firstShard(a) - firstShard(b) || 0);
  return new Map(workers.map((id, worker) => [id, isFresh(worker) ? freshSets.shift()! : sets[worker]!]));
}

function explain(assignment: Assignment['assignment'], before: readonly (number | undefined)[]): string {
  const sets = [...assignment.values()];
  const shards = before.length;
  if (sets.length === 0) return `${shards} shards unassigned: no workers connected`;
  const assigned = sets.flatMap((set, worker) => set.filter((shard) => before[shard] !== worker)).length;
  const partials = sets.reduce((sum, set) => sum + cover(set, shards).length, 0);
  const idle = [...assignment].filter(([, set]) => set.length === 0).map(([id]) => id);
  return [
    `${shards} shards on ${sets.length - idle.length} workers: at most ${Math.max(...sets.map((set) => set.length))} each`,
    `${assigned} newly assigned`,
    `${partials} partials per step`,
    ...(idle.length > 0 ? [`idle, because more workers would not shorten a step: ${idle.join(', ')}`] : []),
  ].join('; ');
}
