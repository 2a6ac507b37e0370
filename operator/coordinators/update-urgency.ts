import { isEndState } from '../plan/coordinator-status.js';
import type { Answer } from '../plan/types.js';

/** Urgency of planning after a coordinator's answer. */
export type Urgency =
  /** Immediately: the run has ended. A coordinator can end only once. */
  | 'end'
  /** Soon: something other than progress has changed. */
  | 'change'
  /** On its turn. */
  | 'progress';

/** @param planned - last answer that a plan has used. */
export function urgencyOf(planned: Answer | undefined, answer: Answer): Urgency {
  if (answer.status && isEndState(answer.status.state)) return 'end';
  const hasFailed = (one: Answer | undefined) => one?.error !== undefined;
  return hasFailed(planned) !== hasFailed(answer) || gist(planned) !== gist(answer) ? 'change' : 'progress';
}

/** Fields of an answer that aren't progress. While a run trains, its reason may change at each step. */
function gist(answer: Answer | undefined): string {
  const status = answer?.status;
  if (!status) return '';
  const { state, workers, readyWorkers, epochs, digestEpoch } = status;
  const reason = state === 'training' ? '' : status.reason;
  return JSON.stringify([answer.pod, state, reason, workers, readyWorkers, epochs, digestEpoch]);
}
