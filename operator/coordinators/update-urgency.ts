import { isEndState } from '../plan/coordinator-status.js';
import type { Answer } from '../plan/types.js';

/** Urgency of planning after a coordinator's answer. */
export type Urgency =
  /** Immediately: the run has ended. A coordinator can end only once. */
  | 'end'
  /** Soon: something other than progress has changed. */
  | 'change'
  /** At the job's next turn. */
  | 'progress';

/** Urgency of `answer`. @param planned - the last answer used by a plan. */
export function urgencyOf(planned: Answer | undefined, answer: Answer): Urgency {
  if (answer.status && isEndState(answer.status.state)) return 'end';
  const hasFailed = (one: Answer | undefined) => one?.error !== undefined;
  return hasFailed(planned) !== hasFailed(answer) || summary(planned) !== summary(answer) ? 'change' : 'progress';
}

/** The fields of an answer that aren't progress. While training, the reason may change at every step. */
function summary(answer: Answer | undefined): string {
  const status = answer?.status;
  if (!status) return '';
  const { state, workers, readyWorkers, epochs, digestEpoch } = status;
  const reason = state === 'training' ? '' : status.reason;
  return JSON.stringify([answer.pod, state, reason, workers, readyWorkers, epochs, digestEpoch]);
}
