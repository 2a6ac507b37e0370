import type { SummedSteps } from '../coordinator/state/step-sum.js';
import { finite } from './describe-event.js';
import type { MetricsMessage } from './payloads.js';

/** What is published of the steps since the last time. */
export type StepSummary = Pick<
  MetricsMessage,
  'step' | 'epoch' | 'steps' | 'loss' | 'accuracy' | 'learningRate' | 'imagesPerSecond' | 'stepMs' | 'workers'
>;

export function describeSteps(summed: SummedSteps): StepSummary {
  const { last, steps, loss, accuracy, imagesPerSecond, durationMs, maxMs } = summed;
  const { epoch, learningRate, workers } = last;
  const stepMs = { mean: durationMs / steps, max: maxMs };
  const means = { loss: finite(loss), accuracy, learningRate, imagesPerSecond, stepMs };
  return { step: last.step + 1, epoch, steps, ...means, workers };
}
