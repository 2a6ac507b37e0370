import type { StepPlan } from '../../job/plan.js';
import type { StepRecord } from '../../run/records.js';
import { StepSum } from '../../coordinator/state/step-sum.js';

/** Maximum number of points of a run; each covers as many steps as needed. */
const maxPoints = 5_000;

/** Means over successive steps. */
export interface StepPoint {
  /** Committed updates at the end of its steps. */
  readonly step: number;
  /** Duration of its steps. */
  readonly durationMs: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Steps per point: 1 up to 5,000 steps, 21 in a run of 102,100. */
export function stepsPerPoint({ totalSteps }: Pick<StepPlan, 'totalSteps'>): number {
  return Math.max(1, Math.ceil(totalSteps / maxPoints));
}

/**
 * Makes one point of every `perPoint` steps: loss and accuracy over their samples, their samples per second, the last
 * one's learning rate.
 *
 * Points are at multiples of `perPoint` whatever step a run resumes from, so an interrupted run has the points of an
 * uninterrupted one.
 */
export class StepPoints {
  readonly #sum = new StepSum();

  constructor(private readonly perPoint: number) {}

  /** @returns the point that the step completes. */
  add(record: StepRecord): StepPoint | undefined {
    this.#sum.add(record);
    return (record.step + 1) % this.perPoint === 0 ? this.finish() : undefined;
  }

  /** @returns the point of the steps since the last one, if there are any. */
  finish(): StepPoint | undefined {
    const summed = this.#sum.take();
    if (!summed) return undefined;
    const { last, loss, accuracy, imagesPerSecond, durationMs } = summed;
    const values = {
      'train/loss': loss,
      'train/accuracy': accuracy,
      'train/learning_rate': last.learningRate,
      'train/images_per_second': imagesPerSecond,
    };
    return { step: last.step + 1, durationMs, values };
  }
}
