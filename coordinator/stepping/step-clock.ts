import { nodeKey, type TreeNode } from '../../job/tree.js';
import { monotonicMs } from '../../util/clock.js';
import type { Partial, Stamps } from '../../proto/messages.js';
import type { ArithmeticTimes } from './reduction/accumulator.js';
import type { ClockOffset } from '../membership/clock-offset.js';
import type { OffsetEstimate } from '../state/step-timing.js';
import type { PartialTiming, RemoteTiming, StepTiming } from '../state/step-timing.js';

type Growing<T> = { -readonly [Key in keyof T]: T[Key] };

interface WorkerTrack {
  readonly orders: { readonly beginMs: number; endMs: number }[];
  readonly partials: Map<string, Growing<PartialTiming>>;
}

/** Takes the time of one step as its messages go out and come in. */
export class StepClock {
  readonly #beginMs = monotonicMs();
  readonly #workers = new Map<string, WorkerTrack>();
  #endMs = 0;

  constructor(private readonly step: number) {}

  /** An order is about to be sent. @returns the stamp that goes with it. */
  ordered(workerId: string): number {
    const nowMs = monotonicMs();
    let track = this.#workers.get(workerId);
    if (!track) this.#workers.set(workerId, (track = { orders: [], partials: new Map() }));
    track.orders.push({ beginMs: nowMs, endMs: nowMs });
    return nowMs;
  }

  /** The order and the parameters are handed to the connection. */
  written(workerId: string): void {
    const order = this.#workers.get(workerId)?.orders.at(-1);
    if (order) order.endMs = monotonicMs();
  }

  /** A chunk of a node came. @param clock - what is known of that worker's, which is told what the stamps say. */
  arrived(from: { readonly workerId: string; readonly clock: ClockOffset }, node: TreeNode, partial: Partial): void {
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

  /** From a worker's first order to the newest chunk from it; 0 without either. */
  workerMs(workerId: string): number {
    const track = this.#workers.get(workerId);
    const last = Math.max(...[...(track?.partials.values() ?? [])].map(({ lastChunkMs }) => lastChunkMs));
    return Math.max(0, last - (track?.orders[0]?.beginMs ?? 0));
  }

  /** The outcome is known. */
  end(): void {
    this.#endMs = monotonicMs();
  }

  timing(times: ArithmeticTimes): StepTiming {
    const workers = [...this.#workers].map(([workerId, { orders, partials }]) => ({
      workerId,
      orders,
      partials: [...partials.values()],
    }));
    return { step: this.step, beginMs: this.#beginMs, ...times, endMs: this.#endMs, workers };
  }
}

/**
 * Whether stamps can be those of a node that was ordered and delivered in this interval of the coordinator's clock. A
 * worker of another version, or one that lies, spoils no more than its own figures.
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
