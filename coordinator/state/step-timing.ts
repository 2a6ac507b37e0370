import type { TreeNode } from '../../job/tree.js';

/** Estimated difference between a worker's monotonic clock and the coordinator's. */
export interface OffsetEstimate {
  /** The other clock's reading minus this one's, in ms. */
  readonly offsetMs: number;
  /** The true offset lies within this many ms of `offsetMs`. */
  readonly errorMs: number;
}

/** Timing of one step; all stamps are in ms on the coordinator's monotonic clock (`util/clock.ts`). */
export interface StepTiming {
  readonly step: number;
  /** The step's arithmetic begins; work is dispatched next. */
  readonly beginMs: number;
  /** The sums are complete and checked. */
  readonly reducedMs: number;
  /** Parameters, optimizer state and running statistics are updated; equals `reducedMs` when a sum was not finite. */
  readonly updatedMs: number;
  /** The coordinator's event loop has handled the result. */
  readonly endMs: number;
  /** Time spent adding and checking, mostly while other partials were in transit. */
  readonly reduceBusyMs: number;
  /** In order of dispatch. */
  readonly workers: readonly WorkerTiming[];
}

export interface WorkerTiming {
  readonly workerId: string;
  /** Each dispatch: from its begin until message and parameters, if needed, were handed to the connection. */
  readonly orders: readonly { readonly beginMs: number; readonly endMs: number }[];
  /** In order of their first chunks. */
  readonly partials: readonly PartialTiming[];
}

export interface PartialTiming {
  readonly node: TreeNode;
  /** Arrival of the first and of the last chunk so far. */
  readonly firstChunkMs: number;
  readonly lastChunkMs: number;
  /** The worker's own stamps; undefined when it sent none, or implausible ones. */
  readonly remote?: RemoteTiming;
}

/** A worker's stamps, translated to the coordinator's clock with an error of at most `clock.errorMs`. */
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

/** Phases of a step along its critical path, that of the last partial to arrive; in ms, never below 0. */
export interface StepPhases {
  /** From the begin of the step until that worker had all parameters. */
  readonly receiveMs: number;
  /** From then until it began sending. */
  readonly computeMs: number;
  /** From then until the last chunk arrived. */
  readonly sendMs: number;
  /** From then until the sums were complete. */
  readonly reduceMs: number;
  readonly updateMs: number;
  /** The whole step: the sum of the others, and the delay until the event loop handled the update. */
  readonly stepMs: number;
}

/** @returns undefined when the last worker sent no stamps, or nothing arrived. */
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
