import type { V1Pod } from '@kubernetes/client-node';
import type { CoordinatorMemory, State } from '../resource/status.js';
import { isDeleting } from './attempts.js';
import { isLive } from './pod-problem.js';

/** Final outcome of a job. */
export interface Outcome {
  readonly type: 'Succeeded' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

export interface StateInput {
  readonly outcome: Outcome | undefined;
  readonly suspend: boolean;
  /** The coordinator's pod, unless its start has ended. */
  readonly pod: V1Pod | undefined;
  readonly workerPods: readonly V1Pod[];
  readonly memory: CoordinatorMemory;
}

/** Decides a job's state, as shown in the State column. */
export function decideState({ outcome, suspend, pod, workerPods, memory }: StateInput): State {
  if (outcome) return outcome.type;
  if (suspend) return pod !== undefined || workerPods.some(isLive) ? 'Suspending' : 'Suspended';
  const isRunning = pod !== undefined && !isDeleting(pod) && pod.status?.phase === 'Running';
  if (isRunning && memory.answered === memory.attempt && memory.doing !== undefined) return memory.doing;
  return isFirstStart(memory, pod) ? 'Pending' : 'Restarting';
}

/**
 * State of a job by its coordinator's answer. A coordinator about to exit counts as running until its exit code is known.
 */
export function stateOfAnswer(answer: string): NonNullable<CoordinatorMemory['doing']> {
  if (answer === 'waiting') return 'WaitingForWorkers';
  return answer === 'paused' ? 'Paused' : 'Running';
}

/** True if the pending start is the first one, or the first after a suspension. */
function isFirstStart({ attempt, answered, stopped }: CoordinatorMemory, pod: V1Pod | undefined): boolean {
  if (pod === undefined || isDeleting(pod)) return attempt === 0 || stopped === attempt;
  return answered !== attempt && (attempt === 1 || stopped === attempt - 1);
}
