import type { StepPlan } from '../../../job/plan.js';
import type { StepRecord } from '../../records.js';

/** A point stands for this many steps at least, so that a run has no more than so many points. */
const maxPoints = 5_000;

/** Means over successive steps. */
export interface StepPoint {
  /** Committed updates at the end of the steps that it stands for. */
  readonly step: number;
  /** Milliseconds that its steps took. */
  readonly durationMs: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Steps that a point of a run stands for: 1 up to 5,000 steps, 21 in a run of 102,100. */
export function stepsPerPoint({ totalSteps }: Pick<StepPlan, 'totalSteps'>): number {
  return Math.max(1, Math.ceil(totalSteps / maxPoints));
}

/**
 * Makes one point of every `perPoint` steps: loss and accuracy over their samples, their samples per second, the last
 * one's learning rate.
 *
 * Points stand at multiples of `perPoint` whatever the step that a run goes on from, so a run that was interrupted has
 * the points of one that was not.
 */
export class StepPoints {
  #samples = 0;
  #lossSum = 0;
  #correct = 0;
  #durationMs = 0;
  #last: StepRecord | undefined;

  constructor(private readonly perPoint: number) {}

  /** @returns the point that the step completes. */
  add(record: StepRecord): StepPoint | undefined {
    this.#samples += record.samples;
    this.#lossSum += record.loss * record.samples;
    this.#correct += record.correct;
    this.#durationMs += record.durationMs;
    this.#last = record;
    return (record.step + 1) % this.perPoint === 0 ? this.finish() : undefined;
  }

  /** @returns the point of the steps since the last one, if there are any. */
  finish(): StepPoint | undefined {
    if (!this.#last) return undefined;
    const [samples, durationMs] = [this.#samples, this.#durationMs];
    const values = {
      'train/loss': this.#lossSum / samples,
      'train/accuracy': this.#correct / samples,
      'train/learning_rate': this.#last.learningRate,
      'train/images_per_second': (1000 * samples) / durationMs,
    };
    const point = { step: this.#last.step + 1, durationMs, values };
    this.#last = undefined;
    this.#samples = this.#lossSum = this.#correct = this.#durationMs = 0;
    return point;
  }
}
