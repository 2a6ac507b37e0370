import type { V1Pod } from '@kubernetes/client-node';
import { boundStatus } from '../resource/bound-status.js';
import { cleanText } from '../resource/clean-text.js';
import type { State, TrainingJobStatus } from '../resource/status.js';
import type { TrainingJob } from '../resource/training-job.js';
import { remove, removeJob, runActions, stopActions } from './actions.js';
import { attemptsOf, isDeleting } from './attempts.js';
import { decideConditions } from './conditions.js';
import { viewJob, type JobView } from './job-view.js';
import { describe } from './message.js';
import { namesOf, identityOf, ports, selectorOf, selectorText } from './names.js';
import { reportPlace } from './objects/storage.js';
import { isLive, overdueAtMs } from './pod-problem.js';
import { decideProgress, finalProgress, type Progress, progressEveryMs, progressOf } from './progress.js';
import { timeMs, timeText } from './time.js';
import type { Action, Observed, Plan } from './types.js';

const retryTakenMs = 10_000;

/**
 * Decides the actions and the new status of a job, as a function of observations and time alone. A plan is idempotent:
 * once it has been executed, the next plan has no actions.
 */
export function planJob(observed: Observed, nowMs: number): Plan {
  const { job } = observed;
  const { status } = job;
  if (job.metadata.deletionTimestamp !== undefined) {
    return { actions: [], status: status ?? { state: 'Pending', conditions: [] } };
  }
  if (status?.state === 'Succeeded' || status?.state === 'Failed') return planFinished(observed, status, nowMs);
  const view = viewJob(observed, nowMs);
  const next = boundStatus(describeStatus(observed, view, nowMs));
  return {
    actions: [...chooseActions(observed, view, nowMs), ...events(job, view, next)],
    status: next,
    ...again(observed, view, nowMs),
    ...coordinatorToFollow(job, view),
  };
}

/** Plan for a finished job: removes running pods and Deployments, and the job itself after its TTL. */
function planFinished(observed: Observed, before: TrainingJobStatus, nowMs: number): Plan {
  const { job, children } = observed;
  const attempts = attemptsOf(children);
  const newest = attempts.at(-1);
  const removable = attempts.filter((attempt) => attempt.end === undefined || attempt !== newest);
  const deployments = children.filter(({ kind }) => kind === 'Deployment');
  const actions = [...removable.map(({ pod }) => pod), ...deployments].flatMap((object) =>
    remove(object, 'the job has finished'),
  );
  const status = boundStatus({ ...before, workers: countWorkers(observed, undefined) });
  const ttl = job.spec.ttlSecondsAfterFinished;
  if (ttl === undefined) return { actions, status };
  const leftMs = (timeMs(before.completionTime) ?? nowMs) + 1000 * ttl - nowMs;
  if (leftMs > 0) return { actions, status, againMs: leftMs };
  return { actions: [removeJob(job, `finished ${ttl} s ago: spec.ttlSecondsAfterFinished`)], status };
}

function chooseActions(observed: Observed, view: JobView, nowMs: number): Action[] {
  const { context, outcome, suspend } = view;
  if (outcome) return stopActions(observed, view, `the job has finished: ${outcome.reason}`, false);
  if (suspend) return stopActions(observed, view, 'spec.suspend is true', true);
  return context === undefined ? [] : runActions(observed, view, context, nowMs);
}

function describeStatus(observed: Observed, view: JobView, nowMs: number): TrainingJobStatus {
  const { job } = observed;
  const { context, memory, isOwn, outcome, state, startMs, newEnd, suspend } = view;
  const before = job.status;
  const progress = chooseProgress(observed, view, nowMs);
  const isUnchanged = before?.state === state && state === 'Running' && isOwn && !isDue(before, progress, nowMs);
  const message = isUnchanged && before.message !== undefined ? before.message : describe(observed, view, nowMs);
  const { generation } = job.metadata;
  const isRestart = newEnd !== undefined && !newEnd.wanted && outcome === undefined && !suspend;
  const initialized = memory.attempt > 0;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    state,
    message,
    conditions: decideConditions(before?.conditions ?? [], { state, message, outcome, initialized, generation }, nowMs),
    ...(state === 'Suspended' ? {} : { startTime: timeText(startMs) }),
    ...(outcome === undefined ? {} : { completionTime: timeText(nowMs) }),
    ...progress,
    workers: countWorkers(observed, view),
    restarts: (before?.restarts ?? 0) + (isRestart ? 1 : 0),
    ...(context === undefined ? {} : { report: reportPlace(context) }),
    coordinator: memory,
  };
}

function chooseProgress({ job }: Observed, { reply, newEnd, state }: JobView, nowMs: number): Progress {
  const options = { nowMs, urgent: job.status?.state !== state, moving: state === 'Running' };
  const shown = decideProgress(progressOf(job.status), reply, options);
  return newEnd?.end.type === 'succeeded' ? finalProgress(shown, newEnd.end.finalResult, nowMs) : shown;
}

function isDue(before: TrainingJobStatus, progress: Progress, nowMs: number): boolean {
  const wasMs = timeMs(before.progressTime) ?? -Infinity;
  return progress.progressTime !== before.progressTime || nowMs >= wasMs + progressEveryMs;
}

/** Counts workers. Only the coordinator determines which are ready. */
function countWorkers({ job, workerPods }: Observed, view: JobView | undefined) {
  const desired = job.spec.workers?.replicas ?? 1;
  const reply = view?.pod !== undefined && !isDeleting(view.pod) ? view.reply : undefined;
  const ready = reply?.readyWorkers ?? 0;
  const selector = selectorText(selectorOf(identityOf(job), 'worker'));
  return { desired, replicas: workerPods.filter(isLive).length, ready, summary: `${ready}/${desired}`, selector };
}

const quietStates: readonly State[] = ['Pending', 'Restarting'];

/** Events for a change of state, and for a start that ended unexpectedly. */
function events(job: TrainingJob, { newEnd, state }: JobView, { message = '' }: TrainingJobStatus): Action[] {
  const ended: Action[] = [];
  if (newEnd && !newEnd.wanted && (newEnd.end.type === 'lost' || newEnd.end.type === 'failed')) {
    const reason = newEnd.end.type === 'lost' ? 'CoordinatorLost' : 'CoordinatorFailed';
    const text = `start ${newEnd.attempt} of the coordinator ended: ${newEnd.end.reason}`;
    ended.push({ type: 'event', reason, message: cleanText(text, 1000), warning: true });
  }
  if (job.status?.state === state || quietStates.includes(state)) return ended;
  return [...ended, { type: 'event', reason: state, message: cleanText(message, 1000), warning: state === 'Failed' }];
}

/** Time until the plan changes without any other change. */
function again({ taken = [] }: Observed, view: JobView, nowMs: number): { readonly againMs?: number } {
  const { memory, pod, outcome } = view;
  if (outcome) return { againMs: 0 };
  const times = [
    memory.ended === memory.attempt && !view.suspend ? timeMs(memory.startAfter) : undefined,
    view.deadlineMs,
    pod === undefined ? undefined : overdueAtMs(pod),
    taken.length > 0 ? nowMs + retryTakenMs : undefined,
  ].filter((time) => time !== undefined && time > nowMs) as number[];
  return times.length === 0 ? {} : { againMs: Math.min(...times) - nowMs };
}

function coordinatorToFollow(job: TrainingJob, { pod, outcome, isOwn }: JobView): Pick<Plan, 'ask'> {
  const podIp = outcome || !isOwn || pod === undefined || isDeleting(pod) ? undefined : runningAt(pod);
  if (podIp === undefined) return {};
  const identity = identityOf(job);
  const address = podIp.includes(':') ? `[${podIp}]:${ports.grpc}` : `${podIp}:${ports.grpc}`;
  return { ask: { pod: pod?.metadata?.name ?? '', address, serverName: namesOf(identity).coordinator } };
}

function runningAt({ status }: V1Pod): string | undefined {
  return status?.phase === 'Running' ? status.podIP : undefined;
}
