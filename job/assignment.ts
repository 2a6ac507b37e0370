import { children, cover, isHeld, pathTo, sameNode, type TreeNode } from './tree.js';

export interface AssignmentInput {
  readonly shards: number;
  /** Ids of the workers present, in the order in which they joined. */
  readonly workers: readonly string[];
  /** What each worker, present or not, held until now. */
  readonly previous: ReadonlyMap<string, readonly number[]>;
  /** Shards whose data a worker has, if it is known to have any. */
  readonly holding?: ReadonlyMap<string, ReadonlySet<number>>;
}

export interface Assignment {
  /** Shards of every present worker, ascending, in the order of `workers`; empty for those that stand by. */
  readonly assignment: Map<string, number[]>;
  /** What was decided and why, in one line for log and status. */
  readonly reason: string;
}

/**
 * Decides which worker computes which shards.
 *
 * First the largest load is made as small as can be, because every step waits for it; then as few shards as possible
 * move, to workers that have their data where there are such; then the payloads per step (tree nodes sent) are kept few, by a greedy search that finds the least for most but
 * not all inputs. So a worker stands by where its help would not shorten a step. Deterministic: only the order of
 * `workers` and each one's previous shards matter.
 */
export function decideAssignment({ shards, workers, previous, holding }: AssignmentInput): Assignment {
  const capacity = Math.ceil(shards / Math.max(Math.min(workers.length, shards), 1));
  const before = previousOwners({ shards, workers, previous });
  const kept = shardsByWorker(before, workers.length);
  const owners = new Owners(shards, workers.length);
  kept.forEach((own, worker) => keepShards(owners, worker, own, capacity));
  const held = workers.map((id) => holding?.get(id) ?? noShards);
  placeFree(owners, capacity, (worker, node) => isHeld(node, held[worker]!));
  placeFree(owners, capacity, () => true);
  const isFresh = (worker: number) => kept[worker]!.length === 0 && held[worker]!.size === 0;
  const assignment = nameOwners(owners, workers, isFresh);
  return { assignment, reason: explain(assignment, before) };
}

const noShards: ReadonlySet<number> = new Set();

/** Who holds what, while it is being decided; workers by their index. */
class Owners {
  readonly ofShard: (number | undefined)[];
  readonly loads: number[];

  constructor(shards: number, workers: number) {
    this.ofShard = new Array<undefined>(shards).fill(undefined);
    this.loads = new Array<number>(workers).fill(0);
  }

  give(node: TreeNode, worker: number): void {
    this.ofShard.fill(worker, node.first, node.first + node.count);
    this.loads[worker]! += node.count;
  }

  /** The worker that holds all of `node`, if one does. */
  ofNode({ first, count }: TreeNode): number | undefined {
    const owner = this.ofShard[first];
    for (let shard = first + 1; shard < first + count; shard++) if (this.ofShard[shard] !== owner) return undefined;
    return owner;
  }
}

/** Index of the present worker that held each shard. */
function previousOwners({ shards, workers, previous }: AssignmentInput): (number | undefined)[] {
  const before = new Array<number | undefined>(shards).fill(undefined);
  workers.forEach((id, worker) => {
    for (const shard of previous.get(id) ?? []) if (shard < shards) before[shard] ??= worker;
  });
  return before;
}

/** Shards of each worker, ascending. */
function shardsByWorker(ofShard: readonly (number | undefined)[], workers: number): number[][] {
  const sets = Array.from({ length: workers }, (): number[] => []);
  ofShard.forEach((owner, shard) => owner !== undefined && sets[owner]!.push(shard));
  return sets;
}

/** Leaves `worker` as many of its shards as it may hold, preferring large nodes. */
function keepShards(owners: Owners, worker: number, own: readonly number[], capacity: number): void {
  takeLargestFirst(cover(own, owners.ofShard.length), (node) => {
    const fits = owners.loads[worker]! + node.count <= capacity;
    if (fits) owners.give(node, worker);
    return fits;
  });
}

/** Gives the shards that nobody has yet to suitable workers with room, large nodes first. */
function placeFree(owners: Owners, capacity: number, suits: (worker: number, node: TreeNode) => boolean): void {
  const shards = owners.ofShard.length;
  const free = owners.ofShard.flatMap((owner, shard) => (owner === undefined ? [shard] : []));
  takeLargestFirst(cover(free, shards), (node) => {
    const hasRoom = (worker: number) => owners.loads[worker]! + node.count <= capacity;
    const best = bestWorker(owners, node, (worker) => hasRoom(worker) && suits(worker, node));
    if (best !== undefined) owners.give(node, best);
    return best !== undefined;
  });
}

/** Offers nodes to `take`, the largest first; one that is not taken is cut in two. */
function takeLargestFirst(nodes: readonly TreeNode[], take: (node: TreeNode) => boolean): void {
  const open = nodes.toSorted(byTurn);
  for (let node = open.pop(); node; node = open.pop()) {
    if (take(node)) continue;
    for (const half of children(node) ?? []) open.splice(placeOf(half, open), 0, half);
  }
}

/** Orders nodes so that the last one is the next to be offered. */
function byTurn(a: TreeNode, b: TreeNode): number {
  return a.count - b.count || b.first - a.first;
}

/** Index at which `node` belongs among ordered nodes. */
function placeOf(node: TreeNode, open: readonly TreeNode[]): number {
  let begin = 0;
  let end = open.length;
  while (begin < end) {
    const middle = (begin + end) >> 1;
    if (byTurn(open[middle]!, node) < 0) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/**
 * Of the workers that may take `node`, the one that holds its sibling, so that the two share a payload; else the least
 * loaded one, the first among equals.
 */
function bestWorker(owners: Owners, node: TreeNode, mayTake: (worker: number) => boolean): number | undefined {
  const sibling = siblingOf(node, owners.ofShard.length);
  const joining = sibling && owners.ofNode(sibling);
  if (joining !== undefined && mayTake(joining)) return joining;
  let best: number | undefined;
  owners.loads.forEach((load, worker) => {
    if ((best === undefined || load < owners.loads[best]!) && mayTake(worker)) best = worker;
  });
  return best;
}

/** The other half of the node's parent; undefined for the root. */
function siblingOf(node: TreeNode, shards: number): TreeNode | undefined {
  const parent = pathTo(node, shards)?.at(-2);
  return parent && children(parent)!.find((half) => !sameNode(half, node));
}

/**
 * The assignment by worker id. Workers that had nothing before and hold nothing are interchangeable: they get their sets
 * in shard order, so a fresh start reads naturally and those that joined last stand by.
 */
function nameOwners(
  owners: Owners,
  workers: readonly string[],
  isFresh: (worker: number) => boolean,
): Map<string, number[]> {
  const sets = shardsByWorker(owners.ofShard, workers.length);
  const firstShard = (set: readonly number[]) => set[0] ?? Infinity;
  const freshSets = sets.filter((_, worker) => isFresh(worker)).sort((a, b) => firstShard(a) - firstShard(b) || 0);
  return new Map(workers.map((id, worker) => [id, isFresh(worker) ? freshSets.shift()! : sets[worker]!]));
}

function explain(assignment: Assignment['assignment'], before: readonly (number | undefined)[]): string {
  const sets = [...assignment.values()];
  const shards = before.length;
  if (sets.length === 0) return `${shards} shards wait: no worker is present`;
  const placed = sets.flatMap((set, worker) => set.filter((shard) => before[shard] !== worker)).length;
  const payloads = sets.reduce((sum, set) => sum + cover(set, shards).length, 0);
  const idle = [...assignment].filter(([, set]) => set.length === 0).map(([id]) => id);
  return [
    `${shards} shards on ${sets.length - idle.length} workers: at most ${Math.max(...sets.map((set) => set.length))} each`,
    `${placed} newly placed`,
    `${payloads} payloads per step`,
    ...(idle.length > 0 ? [`standing by, as more workers would not shorten a step: ${idle.join(', ')}`] : []),
  ].join('; ');
}
