import { cosinePi, integerPower } from './arithmetic.js';
import type { ScheduleSpec } from './spec.js';

/** Length of a run in updates; a `StepPlan` is one. */
export interface RunLength {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/**
 * Learning rate of update `step` (from 0).
 *
 * While `step < warmupSteps` it is `base · (step + 1) / warmupSteps`. Then `constant` stays at `base`; `step` is
 * multiplied by `factor` every `everyEpochs` epochs; `cosine` decays on half a cosine wave from `base` after warm-up to
 * `base · finalFactor` after the last update (Loshchilov & Hutter, SGDR, 2017, equation 5).
 */
export function learningRate(schedule: ScheduleSpec, base: number, step: number, run: RunLength): number {
  if (step < schedule.warmupSteps) return (base * (step + 1)) / schedule.warmupSteps;
  switch (schedule.type) {
    case 'constant':
      return base;
    case 'step': {
      const epoch = Math.floor(step / run.stepsPerEpoch);
      return base * integerPower(schedule.factor, Math.floor(epoch / schedule.everyEpochs));
    }
    case 'cosine': {
      const progress = (step - schedule.warmupSteps) / (run.totalSteps - schedule.warmupSteps);
      return base * (schedule.finalFactor + ((1 - schedule.finalFactor) * (1 + cosinePi(progress))) / 2);
    }
    default:
      return schedule satisfies never;
  }
}

/**
 * Note about a warm-up longer than the run, whose learning rate never reaches `base`; otherwise none.
 *
 * Trials with few images often have such a warm-up, so it is reported rather than rejected.
 */
export function describeWarmup(schedule: ScheduleSpec, base: number, run: RunLength): string[] {
  const { warmupSteps } = schedule;
  if (warmupSteps <= run.totalSteps) return [];
  const last = Number(learningRate(schedule, base, run.totalSteps - 1, run).toPrecision(3));
  return [
    `schedule.warmupSteps: expected at most the run's ${run.totalSteps} steps, got ${warmupSteps}; ` +
      `the learning rate rises to ${last} at the last step and never reaches ${base}`,
  ];
}
