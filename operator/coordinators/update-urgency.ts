import { isEndState } from '../plan/coordinator-status.js';
import type { Answer } from '../plan/types.js';

/** Urgency of planning after a coordinator's answer. */
export type News =
  /** Immediately: the run has ended. A coordinator can end only once. */
  | 'end'
  /** Soon: something other than progress has changed. */
  | 'change'
  /** On its turn. */
  | 'progress';

/** @param told - the last answer that a plan has used. */
export function newsOf(told: Answer | undefined, answer: Answer): News {
  if (answer.status && isEndState(answer.status.state)) return 'end';
  const hasFailed = (one: Answer | undefined) => one?.error !== undefined;
  return hasFailed(told) !== hasFailed(answer) || gist(told) !== gist(answer) ? 'change' : 'progress';
}

/** What of an answer is not progress. Of a run that trains the reason may be another one at each step. */
function gist(answer: Answer | undefined): string {
  const status = answer?.status;
  if (!status) return '';
  const { state, workers, readyWorkers, epochs, digestEpoch } = status;
  const reason = state === 'training' ? '' : status.reason;
  return JSON.stringify([answer.pod, state, reason, workers, readyWorkers, epochs, digestEpoch]);
}
