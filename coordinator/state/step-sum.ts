import type { StepRecord } from '../../run/records.js';

/** What some steps in a row come to. */
export interface SummedSteps {
  readonly last: StepRecord;
  readonly steps: number;
  /** Mean over their samples. */
  readonly loss: number;
  /** Training accuracy, 0 to 1. */
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  /** Of all of them. */
  readonly durationMs: number;
  /** Of the one that took longest. */
  readonly maxMs: number;
}

const nothing = { steps: 0, samples: 0, correct: 0, lossSum: 0, durationMs: 0, maxMs: 0 };

/** Sums up steps until somebody takes the sum; costs the same however many there are. */
export class StepSum {
  #last: StepRecord | undefined;
  #sums = { ...nothing };

  add(record: StepRecord): void {
    const sums = this.#sums;
    this.#last = record;
    sums.steps++;
    sums.samples += record.samples;
    sums.correct += record.correct;
    sums.lossSum += record.loss * record.samples;
    sums.durationMs += record.durationMs;
    sums.maxMs = Math.max(sums.maxMs, record.durationMs);
  }

  /** The sum so far, which begins anew; undefined without a step. */
  take(): SummedSteps | undefined {
    const last = this.#last;
    if (!last) return undefined;
    const { steps, samples, correct, lossSum, durationMs, maxMs } = this.#sums;
    this.#last = undefined;
    this.#sums = { ...nothing };
    const [loss, accuracy, imagesPerSecond] = [lossSum / samples, correct / samples, (1000 * samples) / durationMs];
    return { last, steps, loss, accuracy, imagesPerSecond, durationMs, maxMs };
  }
}
