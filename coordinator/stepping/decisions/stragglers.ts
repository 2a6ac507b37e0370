import { isHeld, type TreeNode } from '../../../job/tree.js';

/** How many steps the usual time is taken from, and how many there must be. */
const rememberedSteps = 50;
const leastSteps = 5;

/** How long a step usually takes: the median of the last 50, so that a few slow ones change nothing. */
export class UsualTime {
  #durations: number[] = [];

  add(durationMs: number): void {
    this.#durations.push(durationMs);
    if (this.#durations.length > rememberedSteps) this.#durations.shift();
  }

  /** For when the workers' loads change, and with them the time of a step. */
  clear(): void {
    this.#durations = [];
  }

  /** Undefined while too few steps are known. */
  medianMs(): number | undefined {
    if (this.#durations.length < leastSteps) return undefined;
    const sorted = this.#durations.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }
}

/** From when on a step is late whose usual time is not known: a worker that hangs in its first step must not stop all. */
const unknownLateAfterMs = 10_000;
/** The same for a worker with bytes in transfer. Bytes alone, such as pings, must not hold up a run for ever. */
const movingLateAfterMs = 30_000;

/** From when on a step that usually takes `usualMs` is late. The half second spares short steps a hiccup. */
export function lateAfterMs(usualMs: number | undefined): number {
  if (usualMs === undefined) return unknownLateAfterMs;
  return Math.max(3 * usualMs, usualMs + 500);
}

/** A node whose result has not arrived, and the workers it was dispatched to. */
export interface MissingNode {
  readonly node: TreeNode;
  /** The task's items that make up the node: its shards, or the audit of one. */
  readonly items: readonly number[];
  readonly workerIds: readonly string[];
}

export interface SpeculationInput {
  readonly nowMs: number;
  /** When the step began. */
  readonly beginMs: number;
  /** Undefined while it is not known. */
  readonly usualMs: number | undefined;
  readonly missing: readonly MissingNode[];
  /** Workers whose parameters or results are being transferred. */
  readonly moving: ReadonlySet<string>;
  /** Ready workers that owe nothing, with the shards they hold, in order of preference. */
  readonly idle: readonly { readonly workerId: string; readonly holding: ReadonlySet<number> }[];
}

export interface Speculation extends Pick<MissingNode, 'node' | 'items'> {
  /** Who is late. */
  readonly from: string;
  /** Who computes the node as well. */
  readonly to: string;
}

/**
 * Which nodes of a late step idle workers compute as well: each node at most twice, each worker one at a time, those
 * that have the data before those that must fetch it. While the usual time of a step is not known, a worker whose data
 * are moving has 30 s: over a slow link the first steps take long, and a second result would only add to the load.
 */
export function decideSpeculation({ nowMs, beginMs, usualMs, missing, moving, idle }: SpeculationInput): Speculation[] {
  if (nowMs - beginMs <= lateAfterMs(usualMs)) return [];
  const free = [...idle];
  return missing.flatMap(({ node, items, workerIds }) => {
    const [from] = workerIds;
    if (from === undefined || workerIds.length > 1 || free.length === 0) return [];
    if (usualMs === undefined && moving.has(from) && nowMs - beginMs <= movingLateAfterMs) return [];
    const holder = free.findIndex(({ holding }) => isHeld(node, holding));
    const [chosen] = free.splice(Math.max(0, holder), 1);
    return [{ node, items, from, to: chosen!.workerId }];
  });
}
