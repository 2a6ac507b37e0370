import type { StepRecord } from '../../records.js';
import { finite } from './describe-event.js';
import type { MetricsMessage } from './payloads.js';

/** What is published of the steps since the last time. */
export type StepSummary = Pick<
  MetricsMessage,
  'step' | 'epoch' | 'steps' | 'loss' | 'accuracy' | 'learningRate' | 'imagesPerSecond' | 'stepMs' | 'workers'
>;

/** Sums up steps until somebody takes the sum; costs the same however many there are. */
export class StepWindow {
  #last: StepRecord | undefined;
  #steps = 0;
  #samples = 0;
  #correct = 0;
  #lossSum = 0;
  #sumMs = 0;
  #maxMs = 0;

  add(record: StepRecord): void {
    this.#last = record;
    this.#steps++;
    this.#samples += record.samples;
    this.#correct += record.correct;
    this.#lossSum += record.loss * record.samples;
    this.#sumMs += record.durationMs;
    this.#maxMs = Math.max(this.#maxMs, record.durationMs);
  }

  /** The sum so far, which begins anew; undefined without a step. */
  take(): StepSummary | undefined {
    const last = this.#last;
    if (!last) return undefined;
    const summary: StepSummary = {
      step: last.step + 1,
      epoch: last.epoch,
      steps: this.#steps,
      loss: finite(this.#lossSum / this.#samples),
      accuracy: this.#correct / this.#samples,
      learningRate: last.learningRate,
      imagesPerSecond: (this.#samples / this.#sumMs) * 1000,
      stepMs: { mean: this.#sumMs / this.#steps, max: this.#maxMs },
      workers: last.workers,
    };
    this.#last = undefined;
    this.#steps = this.#samples = this.#correct = this.#lossSum = this.#sumMs = this.#maxMs = 0;
    return summary;
  }
}
