import { epochOf, type StepPlan } from '../../job/plan.js';
import type { HistoryReply } from '../../proto/messages.js';
import { isEnd } from './events.js';
import type { RunHistory } from './history.js';

/** The most points of a curve and evaluations, and the most notes, that a control client is told. */
export const mostPoints = 500;
const mostNotes = 50;

/** How a job is cut into steps, and how often it is tested; as in the spec, 0 evaluates after the last epoch only. */
export interface ProgressPlan {
  readonly plan: StepPlan;
  readonly evaluateEveryEpochs: number;
}

/** What a control client is told of a run so far. @param points - the most points of the curve. */
export function describeHistory(history: RunHistory, points = mostPoints): HistoryReply {
  const curve = history.curves.losses(points);
  return {
    steps: curve.map(({ step }) => step),
    losses: curve.map(({ value }) => value),
    evaluations: history.evaluations
      .slice(-mostPoints)
      .map(({ epoch, step, loss, correct, total }) => ({ epoch, step, loss, accuracy: correct / total })),
    notes: history.events.slice(-mostNotes).map(({ atMs, text }) => ({ timeMs: atMs, text: text.split('\n', 1)[0]! })),
  };
}

/**
 * Time to the last step and its evaluation, if the run went on now; 0 when unknown or over.
 * @param step - committed updates.
 */
export function secondsLeft(history: RunHistory, { plan, evaluateEveryEpochs }: ProgressPlan, step: number): number {
  const stepMs = history.pace.medianMs;
  if (stepMs === undefined || isEnd(history.state.state)) return 0;
  const tested = epochOf(plan, history.evaluation?.step ?? 0).epoch;
  const evaluations = countEvaluations(tested, plan.epochs, evaluateEveryEpochs);
  return (stepMs * (plan.totalSteps - step) + history.evaluationMs * evaluations) / 1000;
}

/** Evaluations that come after `tested` complete epochs: every so many epochs, and after the last one. */
export function countEvaluations(tested: number, epochs: number, everyEpochs: number): number {
  if (tested >= epochs) return 0;
  if (everyEpochs === 0) return 1;
  const due = (until: number) => Math.floor(until / everyEpochs);
  return due(epochs - 1) - due(tested) + 1;
}
