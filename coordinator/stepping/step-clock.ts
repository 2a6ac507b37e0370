import { nodeKey, type TreeNode } from '../../job/tree.js';
import { monotonicMs } from '../../util/clock.js';
import type { Partial, Stamps } from '../../proto/messages.js';
import type { ArithmeticTimes } from './reduction/accumulator.js';
import type { ClockOffset } from '../membership/clock-offset.js';
import type { OffsetEstimate } from '../state/step-timing.js';
import type { PartialTiming, RemoteTiming, StepTiming } from '../state/step-timing.js';

type Growing<T> = { -readonly [Key in keyof T]: T[Key] };

interface WorkerTrack {
  readonly dispatches: { readonly beginMs: number; endMs: number }[];
  readonly partials: Map<string, Growing<PartialTiming>>;
}

/** Records the times of one step's messages. */
export class StepClock {
  readonly #beginMs = monotonicMs();
  readonly #workers = new Map<string, WorkerTrack>();
  #endMs = 0;

  constructor(private readonly step: number) {}

  /** To be called before a Compute message is sent. @returns its stamp. */
  dispatched(workerId: string): number {
    const nowMs = monotonicMs();
    let track = this.#workers.get(workerId);
    if (!track) this.#workers.set(workerId, (track = { dispatches: [], partials: new Map() }));
    track.dispatches.push({ beginMs: nowMs, endMs: nowMs });
    return nowMs;
  }

  /** To be called when the message and the parameters are handed to the transport. */
  written(workerId: string): void {
    const dispatch = this.#workers.get(workerId)?.dispatches.at(-1);
    if (dispatch) dispatch.endMs = monotonicMs();
  }

  /** To be called with each chunk. @param from - its `clock` is updated from the stamps. */
  arrived(
    from: { readonly workerId: string; readonly clock: ClockOffset },
    node: TreeNode,
    partial: Pick<Partial, 'chunk' | 'chunks' | 'stamps'>,
  ): void {
    const track = this.#workers.get(from.workerId);
    if (!track) return;
    const nowMs = monotonicMs();
    const key = nodeKey(node);
    let timing = track.partials.get(key);
    if (!timing) track.partials.set(key, (timing = { node, firstChunkMs: nowMs, lastChunkMs: nowMs }));
    timing.lastChunkMs = nowMs;
    const stamps = partial.chunk === partial.chunks - 1 ? partial.stamps : undefined;
    if (!stamps || !arePlausible(stamps, node, { fromMs: this.#beginMs, toMs: nowMs })) return;
    from.clock.wentOut(stamps.orderSentMs, stamps.orderReceivedMs);
    from.clock.cameIn(stamps.sendEndMs, nowMs);
    const estimate = from.clock.estimate(nowMs);
    if (estimate) timing.remote = translate(stamps, estimate);
  }

  /** Time from a worker's first Compute message to its newest chunk; 0 without either. */
  workerMs(workerId: string): number {
    const track = this.#workers.get(workerId);
    const last = Math.max(...[...(track?.partials.values() ?? [])].map(({ lastChunkMs }) => lastChunkMs));
    return Math.max(0, last - (track?.dispatches[0]?.beginMs ?? 0));
  }

  /** To be called when the outcome is known. */
  end(): void {
    this.#endMs = monotonicMs();
  }

  timing(times: ArithmeticTimes): StepTiming {
    const workers = [...this.#workers].map(([workerId, { dispatches, partials }]) => ({
      workerId,
      orders: dispatches,
      partials: [...partials.values()],
    }));
    return { step: this.step, beginMs: this.#beginMs, ...times, endMs: this.#endMs, workers };
  }
}

/**
 * True if stamps can be those of a node that was dispatched and delivered in this interval of the coordinator's clock. A
 * worker with false stamps spoils only its own figures.
 */
export function arePlausible(
  stamps: Stamps,
  { first, count }: TreeNode,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): boolean {
  const { orderSentMs, orderReceivedMs, parametersBeginMs, parametersEndMs, shards, sendBeginMs, sendEndMs } = stamps;
  if (!(orderSentMs >= fromMs && orderSentMs <= toMs)) return false;
  if (!(orderReceivedMs <= sendEndMs && sendEndMs - orderReceivedMs <= toMs - orderSentMs)) return false;
  if (shards.length !== count || shards.some(({ shard }, i) => shard !== first + i)) return false;
  const spans = shards.flatMap(({ beginMs, endMs }) => [beginMs, endMs]);
  return isAscending([parametersBeginMs, parametersEndMs, ...spans, sendBeginMs, sendEndMs]);
}

/** False for NaN and infinity too. */
function isAscending(values: readonly number[]): boolean {
  return values.every((value, i) => Number.isFinite(value) && (i === 0 || value >= values[i - 1]!));
}

function translate(stamps: Stamps, clock: OffsetEstimate): RemoteTiming {
  const here = (thereMs: number) => thereMs - clock.offsetMs;
  return {
    orderReceivedMs: here(stamps.orderReceivedMs),
    parametersBeginMs: here(stamps.parametersBeginMs),
    parametersEndMs: here(stamps.parametersEndMs),
    shards: stamps.shards.map(({ shard, beginMs, endMs }) => ({ shard, beginMs: here(beginMs), endMs: here(endMs) })),
    sendBeginMs: here(stamps.sendBeginMs),
    sendEndMs: here(stamps.sendEndMs),
    clock,
  };
}
