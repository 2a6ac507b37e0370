import { epochOf, type StepPlan } from '../../job/plan.js';
import type { HistoryReply } from '../../proto/messages.js';
import { isEnd } from './events.js';
import type { RunHistory } from './history.js';

/** Limits of a history reply: points of the curve, evaluations, and notes. */
export const mostPoints = 500;
const mostNotes = 50;

/** Plan of a job's steps and evaluations; as in the spec, 0 evaluates after the last epoch only. */
export interface ProgressPlan {
  readonly plan: StepPlan;
  readonly evaluateEveryEpochs: number;
}

/** History of a run for control clients. @param points - limit of the curve's points. */
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
 * Estimated time until the last step and its evaluation; 0 when unknown or over.
 * @param step - committed updates.
 */
export function secondsLeft(history: RunHistory, { plan, evaluateEveryEpochs }: ProgressPlan, step: number): number {
  const stepMs = history.pace.medianMs;
  if (stepMs === undefined || isEnd(history.state.state)) return 0;
  const tested = epochOf(plan, history.evaluation?.step ?? 0).epoch;
  const evaluations = countEvaluations(tested, plan.epochs, evaluateEveryEpochs);
  return (stepMs * (plan.totalSteps - step) + history.evaluationMs * evaluations) / 1000;
}

/** Number of evaluations still to come after `tested` epochs: one every `everyEpochs` epochs, and one after the last. */
export function countEvaluations(tested: number, epochs: number, everyEpochs: number): number {
  if (tested >= epochs) return 0;
  if (everyEpochs === 0) return 1;
  const due = (until: number) => Math.floor(until / everyEpochs);
  return due(epochs - 1) - due(tested) + 1;
}
