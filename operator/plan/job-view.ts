import type { V1Pod } from '@kubernetes/client-node';
import type { CoordinatorMemory, State } from '../resource/status.js';
import { areDerivedFrom } from './credentials.js';
import { type Attempt, attemptsOf, isDeleting } from './attempts.js';
import type { CoordinatorStatus } from './coordinator-status.js';
import type { JobContext } from './job-context.js';
import { type NewEnd, noMemory, recordAttempts } from './memory.js';
import { reportPlace } from './objects/storage.js';
import { decideOutcome, deadlineMs } from './outcome.js';
import { decideState, type Outcome, stateOfAnswer } from './state.js';
import { timeMs } from './time.js';
import type { Answer, Observed } from './types.js';

/** Assessment of a job, from which its actions and status are derived. */
export interface JobView {
  /** Undefined if the spec is invalid. */
  readonly context: JobContext | undefined;
  readonly attempts: readonly Attempt[];
  /** The coordinator's pod, unless its start has ended. */
  readonly pod: V1Pod | undefined;
  readonly memory: CoordinatorMemory;
  /** True if the newest start's credentials were derived from this operator's key. */
  readonly isOwn: boolean;
  readonly newEnd: NewEnd | undefined;
  /** Newest status of the coordinator in `pod`, or in a pod that has just ended. */
  readonly reply: CoordinatorStatus | undefined;
  readonly outcome: Outcome | undefined;
  readonly state: State;
  readonly suspend: boolean;
  /** Start of the current active period, milliseconds since 1970. */
  readonly startMs: number;
  readonly deadlineMs: number | undefined;
}

export function viewJob(observed: Observed, nowMs: number): JobView {
  const { job, read, workerPods, control } = observed;
  const { context, problems } = read(job);
  const suspend = job.spec.suspend ?? false;
  const attempts = attemptsOf(observed.children);
  const before = job.status?.coordinator ?? noMemory;
  const reply = replyOf(newestPod(attempts, before), control);
  const finished = reply?.state === 'finished' || before.finished === before.attempt;
  const recorded = recordAttempts(before, attempts, { nowMs, suspend, finished });
  const { newEnd } = recorded;
  const pod = attempts.find(({ number, end }) => number === recorded.memory.attempt && end === undefined)?.pod;
  const memory = remember(recorded.memory, { reply, suspend, pod });
  const startMs = timeMs(job.status?.startTime) ?? nowMs;
  const fields = context?.fields;
  const report = context === undefined ? '' : reportPlace(context);
  const outcome = decideOutcome({ problems, fields, newEnd, memory, startMs, report }, nowMs);
  const state = decideState({ outcome, suspend, pod, workerPods, memory });
  return {
    isOwn: areDerivedFrom(memory.credentials, job, observed.keyId),
    ...{ context, attempts, pod, memory, newEnd, reply, outcome, state, suspend, startMs },
    deadlineMs: deadlineMs(fields, startMs),
  };
}

/** Name of the newest start's pod, which may no longer exist. */
function newestPod(attempts: readonly Attempt[], before: CoordinatorMemory): string | undefined {
  const newest = attempts.at(-1);
  return newest !== undefined && newest.number >= before.attempt ? newest.pod.metadata?.name : before.pod;
}

function replyOf(pod: string | undefined, control: Answer | undefined): CoordinatorStatus | undefined {
  return pod !== undefined && control?.pod === pod ? control.status : undefined;
}

/** Records what later plans need: the last answer, and starts stopped on purpose. Survives restarts of the operator. */
function remember(
  memory: CoordinatorMemory,
  { reply, suspend, pod }: Pick<JobView, 'reply' | 'suspend' | 'pod'>,
): CoordinatorMemory {
  const { attempt } = memory;
  const next = {
    ...memory,
    ...(reply === undefined ? {} : { answered: attempt, doing: stateOfAnswer(reply.state) }),
    ...(reply?.state === 'finished' ? { finished: attempt } : {}),
    ...(suspend && attempt > 0 ? { stopped: attempt } : {}),
  };
  const keepsRunning = !suspend && pod !== undefined && !isDeleting(pod);
  if (keepsRunning && next.stopped === attempt) delete next.stopped;
  return next;
}
