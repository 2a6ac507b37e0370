import type { TreeNode } from '../../job/tree.js';
import type { OffsetEstimate } from '../membership/clock-offset.js';

/**
 * Where one step's time went; all stamps in ms on the coordinator's monotonic clock (`util/clock.ts`).
 */
export interface StepTiming {
  readonly step: number;
  /** The step's arithmetic is opened; orders follow. */
  readonly beginMs: number;
  /** The sums are complete and looked at. */
  readonly reducedMs: number;
  /** Parameters, optimizer state and running statistics are updated; as `reducedMs` when they were not finite. */
  readonly updatedMs: number;
  /** The coordinator's loop knows of it. */
  readonly endMs: number;
  /** How long it was adding and checking, most of it while other partials were on their way. */
  readonly reduceBusyMs: number;
  /** In the order in which they were given work. */
  readonly workers: readonly WorkerTiming[];
}

export interface WorkerTiming {
  readonly workerId: string;
  /** Each time it was given work: the order, and the parameters if it lacked them, handed to the connection. */
  readonly orders: readonly { readonly beginMs: number; readonly endMs: number }[];
  /** In order of their first chunks. */
  readonly partials: readonly PartialTiming[];
}

export interface PartialTiming {
  readonly node: TreeNode;
  /** Arrival of the first and of the last chunk so far. */
  readonly firstChunkMs: number;
  readonly lastChunkMs: number;
  /** What the worker said of it; undefined when it said nothing, or nothing that can be. */
  readonly remote?: RemoteTiming;
}

/** A worker's stamps, brought to the coordinator's clock; right to within `clock.errorMs`. */
export interface RemoteTiming {
  readonly orderReceivedMs: number;
  readonly parametersBeginMs: number;
  readonly parametersEndMs: number;
  readonly shards: readonly { readonly shard: number; readonly beginMs: number; readonly endMs: number }[];
  /** First and last chunk handed to the connection. */
  readonly sendBeginMs: number;
  readonly sendEndMs: number;
  readonly clock: OffsetEstimate;
}

/** Where the time of a step went, along the way of the partial that came last; in ms, never below 0. */
export interface StepPhases {
  /** From the step's begin until that worker had all parameters. */
  readonly receiveMs: number;
  /** From then until it began to send. */
  readonly computeMs: number;
  /** From then until the last chunk had come. */
  readonly sendMs: number;
  /** From then until the sums were complete. */
  readonly reduceMs: number;
  readonly updateMs: number;
  /** Of the whole step; the sum of the others, and of what it took to hear of the update. */
  readonly stepMs: number;
}

/** @returns undefined when the last worker said nothing of its time, or nothing arrived. */
export function phasesOf(timing: StepTiming): StepPhases | undefined {
  const { beginMs, reducedMs, updatedMs, endMs } = timing;
  const partials = timing.workers.flatMap((worker) => worker.partials).filter((p) => p.lastChunkMs <= reducedMs);
  const last = partials.reduce((a, b) => (b.lastChunkMs > a.lastChunkMs ? b : a), partials[0]!);
  if (!last?.remote) return undefined;
  const { parametersEndMs, sendBeginMs } = last.remote;
  return {
    receiveMs: Math.max(0, parametersEndMs - beginMs),
    computeMs: Math.max(0, sendBeginMs - parametersEndMs),
    sendMs: Math.max(0, last.lastChunkMs - sendBeginMs),
    reduceMs: Math.max(0, reducedMs - last.lastChunkMs),
    updateMs: updatedMs - reducedMs,
    stepMs: endMs - beginMs,
  };
}
