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

/** What is the matter with a job: everything that actions and status follow from. */
export interface JobView {
  /** Undefined when the spec makes no sense. */
  readonly context: JobContext | undefined;
  readonly attempts: readonly Attempt[];
  /** The coordinator's pod, unless its start has ended. */
  readonly pod: V1Pod | undefined;
  readonly memory: CoordinatorMemory;
  /** Whether the operator's key is the one that the newest start's credentials were derived from. */
  readonly isOwn: boolean;
  readonly newEnd: NewEnd | undefined;
  /** Newest status of the coordinator in `pod`, or in the one that has just ended. */
  readonly reply: CoordinatorStatus | undefined;
  readonly outcome: Outcome | undefined;
  readonly state: State;
  readonly suspend: boolean;
  /** Begin of the present activity, milliseconds since 1970. */
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
  const noted = recordAttempts(before, attempts, { nowMs, suspend, finished });
  const { newEnd } = noted;
  const pod = attempts.find(({ number, end }) => number === noted.memory.attempt && end === undefined)?.pod;
  const memory = remember(noted.memory, { reply, suspend, pod });
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

/** The name of the newest start's pod, there or not. */
function newestPod(attempts: readonly Attempt[], before: CoordinatorMemory): string | undefined {
  const newest = attempts.at(-1);
  return newest !== undefined && newest.number >= before.attempt ? newest.pod.metadata?.name : before.pod;
}

function replyOf(pod: string | undefined, control: Answer | undefined): CoordinatorStatus | undefined {
  return pod !== undefined && control?.pod === pod ? control.status : undefined;
}

/** What is to be known later: the answer, after a restart of the operator; what ended on purpose, after its end. */
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
  const goesOn = !suspend && pod !== undefined && !isDeleting(pod);
  if (goesOn && next.stopped === attempt) delete next.stopped;
  return next;
}
