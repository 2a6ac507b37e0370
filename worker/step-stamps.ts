import { monotonicMs } from '../util/clock.js';
import type { ShardSpan, Stamps } from '../proto/messages.js';

/** When the newest step's order and parameters came to this worker, for the stamps that go with its results. */
export class StepStamps {
  #order = { step: -1, sentMs: 0, receivedMs: 0 };
  #parameters = { step: -1, beginMs: 0, endMs: 0 };

  /** @param sentMs - the coordinator's stamp, which is sent back as it is; 0 when it made none. */
  ordered(step: number, sentMs: number): void {
    this.#order = { step, sentMs, receivedMs: monotonicMs() };
  }

  /** The first chunk of a step's parameters is there. */
  parametersBegin(step: number): void {
    this.#parameters = { step, beginMs: monotonicMs(), endMs: 0 };
  }

  parametersEnd(): void {
    this.#parameters.endMs = monotonicMs();
  }

  /** Stamps of a node of `step`, whose last chunk is about to be sent; undefined when nobody asked for them. */
  of(step: number, shards: ShardSpan[], sendBeginMs: number): Stamps | undefined {
    const [order, parameters] = [this.#order, this.#parameters];
    if (order.step !== step || parameters.step !== step || order.sentMs === 0) return undefined;
    return {
      orderSentMs: order.sentMs,
      orderReceivedMs: order.receivedMs,
      parametersBeginMs: parameters.beginMs,
      parametersEndMs: parameters.endMs,
      shards,
      sendBeginMs,
      sendEndMs: monotonicMs(),
    };
  }
}
