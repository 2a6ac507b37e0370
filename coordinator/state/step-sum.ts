import type { StepRecord } from '../../run/records.js';

/** Totals and means of consecutive steps. */
export interface SummedSteps {
  readonly last: StepRecord;
  readonly steps: number;
  /** Mean over their samples. */
  readonly loss: number;
  /** Training accuracy, 0 to 1. */
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  /** Sum over the steps. */
  readonly durationMs: number;
  /** Duration of the slowest step. */
  readonly maxMs: number;
}

const nothing = { steps: 0, samples: 0, correct: 0, lossSum: 0, durationMs: 0, maxMs: 0 };

/** Aggregates steps until `take`, at constant cost per step. */
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

  /** Returns the sum so far and resets it; undefined without a step. */
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
