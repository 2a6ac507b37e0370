import { isHeld, type TreeNode } from '../../../job/tree.js';

/** Maximum and minimum number of steps from which the usual time is computed. */
const rememberedSteps = 50;
const leastSteps = 5;

/** Usual duration of a step: the median of the last 50, which a few slow steps don't change. */
export class UsualTime {
  #durations: number[] = [];

  add(durationMs: number): void {
    this.#durations.push(durationMs);
    if (this.#durations.length > rememberedSteps) this.#durations.shift();
  }

  /** To be called when the workers' loads change, and with them the duration of a step. */
  clear(): void {
    this.#durations = [];
  }

  /** Undefined before enough steps are known. */
  medianMs(): number | undefined {
    if (this.#durations.length < leastSteps) return undefined;
    const sorted = this.#durations.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }
}

/**
 * Time after which a step is overdue while the usual time isn't known, so that a worker that hangs in its first step
 * doesn't stop the run.
 */
const overdueAfterMsByDefault = 10_000;
/** The same limit for a worker with bytes in transfer. Bytes alone, such as pings, must not hold up a run forever. */
const overdueAfterMsInTransfer = 30_000;

/** Time after which a step that usually takes `usualMs` is overdue. Short steps are allowed a pause of half a second. */
export function overdueAfterMs(usualMs: number | undefined): number {
  if (usualMs === undefined) return overdueAfterMsByDefault;
  return Math.max(3 * usualMs, usualMs + 500);
}

/** A node whose result has not arrived, and the workers it was dispatched to. */
export interface MissingNode {
  readonly node: TreeNode;
  /** The task's items that make up the node: its shards, or the audit of one. */
  readonly items: readonly number[];
  readonly workerIds: readonly string[];
}

export interface BackupInput {
  readonly nowMs: number;
  /** Start of the step. */
  readonly beginMs: number;
  /** Undefined if not known yet. */
  readonly usualMs: number | undefined;
  readonly missing: readonly MissingNode[];
  /** Workers whose parameters or results are being transferred. */
  readonly moving: ReadonlySet<string>;
  /** Ready workers without open items, with the shards they hold, in order of preference. */
  readonly idle: readonly { readonly workerId: string; readonly holding: ReadonlySet<number> }[];
}

/** A straggler's node that a backup computes too. */
export interface Backup extends Pick<MissingNode, 'node' | 'items'> {
  /** The straggler. */
  readonly from: string;
  /** The backup. */
  readonly to: string;
}

/**
 * Backups for the missing nodes of an overdue step: at most one per node and one node per idle worker. Workers that have
 * the data are preferred. Before the usual time is known, a worker with bytes in transfer has 30 s: over a slow network
 * the first steps take long, and a second result would only add to its load.
 */
export function decideBackups({ nowMs, beginMs, usualMs, missing, moving, idle }: BackupInput): Backup[] {
  if (nowMs - beginMs <= overdueAfterMs(usualMs)) return [];
  const free = [...idle];
  return missing.flatMap(({ node, items, workerIds }) => {
    const [from] = workerIds;
    if (from === undefined || workerIds.length > 1 || free.length === 0) return [];
    if (usualMs === undefined && moving.has(from) && nowMs - beginMs <= overdueAfterMsInTransfer) return [];
    const holder = free.findIndex(({ holding }) => isHeld(node, holding));
    const [chosen] = free.splice(Math.max(0, holder), 1);
    return [{ node, items, from, to: chosen!.workerId }];
  });
}
