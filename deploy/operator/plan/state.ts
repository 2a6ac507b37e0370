import type { V1Pod } from '@kubernetes/client-node';
import type { CoordinatorMemory, State } from '../resource/status.js';
import { isDeleting } from './attempts.js';
import { isLive } from './pod-trouble.js';

/** The job is over. */
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
  /** What the coordinator in that pod calls its state, in its newest answer. */
  readonly answer: string | undefined;
  /** What the state was before. */
  readonly before: State | undefined;
}

/** What a coordinator that answered may have been found doing; kept until it answers again or its pod changes. */
const answeredStates: readonly State[] = ['WaitingForWorkers', 'Running', 'Paused'];

/** The State column. */
export function decideState(input: StateInput): State {
  const { outcome, suspend, pod, workerPods, memory, answer, before } = input;
  if (outcome) return outcome.type;
  if (suspend) return pod !== undefined || workerPods.some(isLive) ? 'Suspending' : 'Suspended';
  const isRunning = pod !== undefined && !isDeleting(pod) && pod.status?.phase === 'Running';
  if (isRunning && answer !== undefined) return stateOfAnswer(answer);
  const kept = isRunning && memory.answered === memory.attempt && before !== undefined;
  if (kept && answeredStates.includes(before)) return before;
  return isFirstStart(memory, pod) ? 'Pending' : 'Restarting';
}

/** A coordinator that is about to end still counts as running: how it ended its exit code says. */
function stateOfAnswer(answer: string): State {
  if (answer === 'waiting') return 'WaitingForWorkers';
  return answer === 'paused' ? 'Paused' : 'Running';
}

/** Whether the start that is awaited is the first one, or the first after a suspension. */
function isFirstStart(memory: CoordinatorMemory, pod: V1Pod | undefined): boolean {
  if (pod !== undefined && isDeleting(pod)) return false;
  const before = pod === undefined ? memory.attempt : memory.attempt - 1;
  return before === 0 || memory.stopped === before;
}
