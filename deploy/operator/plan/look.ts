import type { V1Pod } from '@kubernetes/client-node';
import type { StatusReply } from '../../../proto/messages.js';
import type { CoordinatorMemory, State } from '../resource/status.js';
import { type Attempt, attemptsOf } from './attempts.js';
import { type JobContext, readJob } from './job-context.js';
import { type NewEnd, noMemory, takeNote } from './memory.js';
import { reportPlace } from './objects/storage.js';
import { decideOutcome, deadlineMs } from './outcome.js';
import { decideState, type Outcome } from './state.js';
import { timeMs } from './time.js';
import type { Observed } from './types.js';

/** What is the matter with a job: everything that actions and status follow from. */
export interface View {
  /** Undefined when the spec makes no sense. */
  readonly context: JobContext | undefined;
  readonly attempts: readonly Attempt[];
  /** The coordinator's pod, unless its start has ended. */
  readonly pod: V1Pod | undefined;
  readonly memory: CoordinatorMemory;
  readonly newEnd: NewEnd | undefined;
  /** Newest status of the coordinator in `pod`, or in the one that has just ended. */
  readonly reply: StatusReply | undefined;
  readonly outcome: Outcome | undefined;
  readonly state: State;
  readonly suspend: boolean;
  /** Begin of the present activity, milliseconds since 1970. */
  readonly startMs: number;
  readonly deadlineMs: number | undefined;
}

export function lookAt(observed: Observed, nowMs: number): View {
  const { job, settings, workerPods, control } = observed;
  const { context, problems } = readJob(job, settings);
  const suspend = job.spec.suspend ?? false;
  const attempts = attemptsOf(observed.children);
  const before = job.status?.coordinator ?? noMemory;
  const newest = attempts.at(-1)?.pod.metadata?.name ?? before.pod;
  const reply = control !== undefined && control.pod === newest ? control.status : undefined;
  const finished = reply?.state === 'finished' || before.finished === before.attempt;
  const noted = takeNote(before, attempts, { nowMs, suspend, finished });
  const { newEnd } = noted;
  const pod = attempts.find(({ number, end }) => number === noted.memory.attempt && end === undefined)?.pod;
  const memory = rememberAnswer(noted.memory, reply, suspend && pod !== undefined);
  const startMs = timeMs(job.status?.startTime) ?? nowMs;
  const fields = context?.fields;
  const report = context === undefined ? '' : reportPlace(context);
  const outcome = decideOutcome({ problems, fields, newEnd, memory, startMs, report }, nowMs);
  const state = decideState({
    ...{ outcome, suspend, pod, workerPods, memory },
    answer: reply?.state,
    before: job.status?.state,
  });
  return {
    ...{ context, attempts, pod, memory, newEnd, reply, outcome, state, suspend, startMs },
    deadlineMs: deadlineMs(fields, startMs),
  };
}

function rememberAnswer(
  memory: CoordinatorMemory,
  reply: StatusReply | undefined,
  stopping: boolean,
): CoordinatorMemory {
  const { attempt } = memory;
  return {
    ...memory,
    ...(reply === undefined ? {} : { answered: attempt }),
    ...(reply?.state === 'finished' ? { finished: attempt } : {}),
    ...(stopping ? { stopped: attempt } : {}),
  };
}
