import type { JobView } from './job-view.js';
import { identityOf, secretNamesOf } from './names.js';
import { podProblem, podProblems } from './pod-problem.js';
import { timeText } from './time.js';
import type { Observed } from './types.js';

const mostLetters = 2000;

/** Human-readable reason for a job's state, with the problems of its pods. */
export function describe(observed: Observed, view: JobView, nowMs: number): string {
  return choose(observed, view, nowMs).slice(0, mostLetters);
}

function choose(observed: Observed, view: JobView, nowMs: number): string {
  const { outcome, state } = view;
  if (outcome) return outcome.message;
  switch (state) {
    case 'Suspending':
      return `spec.suspend is true; stopping pods: ${podProblems(allPods(observed, view), nowMs) ?? 'after a checkpoint'}`;
    case 'Suspended':
      return 'spec.suspend is true; set it to false to resume from the newest checkpoint';
    case 'WaitingForWorkers':
    case 'Running':
    case 'Paused':
      return joined([answered(observed, view), wanted(observed), podProblems(observed.workerPods, nowMs)]);
    case 'Pending':
    case 'Restarting':
      return joined([...obstacles(observed), awaited(observed, view, nowMs)]);
    default:
      return state;
  }
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('; ');
}

function allPods({ workerPods }: Observed, { pod }: JobView) {
  return pod === undefined ? workerPods : [pod, ...workerPods];
}

/** The coordinator's last answer, and the time since which it hasn't answered. */
function answered(observed: Observed, view: JobView): string {
  const { control } = observed;
  const { reply } = view;
  const obstacle = callObstacle(observed, view);
  if (obstacle !== undefined) return obstacle;
  if (reply === undefined) return 'no status from the coordinator yet';
  if (control?.error === undefined) return reply.reason;
  const since = control.statusMs === undefined ? '' : ` since ${timeText(control.statusMs)}`;
  return `${reply.reason}; no answer from the coordinator${since}`;
}

/** Reason why a running coordinator can't be called until the user acts; undefined if there is none. */
function callObstacle({ job, control }: Observed, { pod, memory, isOwn }: JobView): string | undefined {
  const name = pod?.metadata?.name;
  if (name === undefined) return undefined;
  if (!isOwn) {
    return (
      `progress unavailable: ${name} was started with another operator key or by an operator before 0.5.5; ` +
      `it keeps running; to restart it from a checkpoint: kubectl delete pod ${name}`
    );
  }
  if (control?.pod !== name || control.untrusted !== true) return undefined;
  const { coordinatorTls, token } = secretNamesOf(identityOf(job), memory.credentials);
  return (
    `progress unavailable: ${name}: expected the operator's certificates and token, got others; Secret ` +
    `${coordinatorTls} or ${token} isn't the operator's: kubectl delete secret ${coordinatorTls} ${token}, ` +
    `then kubectl delete pod ${name}`
  );
}

function wanted({ job }: Observed): string | undefined {
  if (job.spec.workers?.replicas !== 0) return undefined;
  return `0 workers wanted; to add some: kubectl scale tj/${job.metadata.name} --replicas=N`;
}

/** Problems that prevent the operator from creating the job's objects. */
function obstacles({ taken = [] }: Observed): string[] {
  const names = taken.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  return names === '' ? [] : [`${names} has another owner: delete it, or rename the job`];
}

/** Progress of the coordinator's next start. */
function awaited(observed: Observed, view: JobView, nowMs: number): string {
  const { pod, memory, attempts } = view;
  const unanswered = () => callObstacle(observed, view) ?? `${pod?.metadata?.name}: Running, no reply yet`;
  if (pod !== undefined) return podProblem(pod, nowMs) ?? unanswered();
  const stray = attempts.find(({ end }) => end === undefined);
  if (stray) return podProblem(stray.pod, nowMs) ?? `${stray.pod.metadata?.name} is still running`;
  const again = memory.startAfter === undefined ? '' : `, not before ${memory.startAfter}`;
  if (memory.ended === 0) return 'starting the coordinator';
  return `start ${memory.ended} of the coordinator ended (${memory.lastEnd ?? 'unknown'}); starting the next${again}`;
}
