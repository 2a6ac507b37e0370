import { createHash, type Hash } from 'node:crypto';
import type { Partial, ShardReport } from '../../proto/messages.js';
import { nodeKey, type TreeNode } from '../../job/tree.js';

/** Two workers' results for one node of one step differ. */
export interface NumericsFault {
  readonly step: number;
  readonly node: TreeNode;
  /** Worker whose result arrived first, and worker whose result differs from it. */
  readonly workers: readonly [string, string];
}

/** A node that more than one worker computes. */
interface Watched {
  readonly step: number;
  readonly node: TreeNode;
  /** Results being received, by worker. */
  readonly open: Map<string, { readonly hash: Hash; nextChunk: number }>;
  first: { readonly workerId: string; readonly digest: string } | undefined;
}

/**
 * Compares two workers' results for the same node, by SHA-256 over gradient and reports.
 *
 * A result that arrives after its step is compared until the next step ends. One whose first chunk was missed is skipped.
 */
export class NumericsCheck {
  readonly #watched = new Map<string, Watched>();

  constructor(private readonly onFault: (fault: NumericsFault) => void) {}

  /** Compares results for this node from now on. */
  watch(step: number, node: TreeNode): void {
    const key = keyOf(step, node);
    if (!this.#watched.has(key)) this.#watched.set(key, { step, node, open: new Map(), first: undefined });
  }

  /** Forgets the nodes of steps before `step - 1`. */
  begin(step: number): void {
    for (const [key, watched] of this.#watched) if (watched.step < step - 1) this.#watched.delete(key);
  }

  /** Hashes a checked chunk if its node is watched. */
  receive(workerId: string, partial: Partial): void {
    if (this.#watched.size === 0) return;
    const watched = this.#watched.get(keyOf(partial.step, partial.node));
    if (!watched) return;
    if (partial.chunk === 0) watched.open.set(workerId, { hash: hashOfReports(partial.reports), nextChunk: 0 });
    const result = watched.open.get(workerId);
    if (result?.nextChunk !== partial.chunk) return void watched.open.delete(workerId);
    result.hash.update(partial.data);
    if (++result.nextChunk < partial.chunks) return;
    watched.open.delete(workerId);
    this.#compare(watched, workerId, result.hash.digest('hex'));
  }

  #compare(watched: Watched, workerId: string, digest: string): void {
    watched.first ??= { workerId, digest };
    if (watched.first.digest === digest) return;
    this.onFault({ step: watched.step, node: watched.node, workers: [watched.first.workerId, workerId] });
  }
}

function keyOf(step: number, node: TreeNode): string {
  return `${step}/${nodeKey(node)}`;
}

/** Hash of everything that must be equal; a shard's duration isn't part of it. */
function hashOfReports(reports: readonly ShardReport[]): Hash {
  const hash = createHash('sha256');
  for (const { shard, samples, lossSum, correct, statistics } of reports) {
    hash.update(Float64Array.of(shard, samples, lossSum, correct)).update(statistics);
  }
  return hash;
}
