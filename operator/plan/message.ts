import type { JobView } from './job-view.js';
import { identityOf, secretNamesOf } from './names.js';
import { podProblem, podProblems } from './pod-problem.js';
import { timeText } from './time.js';
import type { Observed } from './types.js';

const mostLetters = 2000;

/** Why a job is in its state, in words; names pods and what is the matter with them. */
export function describe(observed: Observed, view: JobView, nowMs: number): string {
  return choose(observed, view, nowMs).slice(0, mostLetters);
}

function choose(observed: Observed, view: JobView, nowMs: number): string {
  const { outcome, state } = view;
  if (outcome) return outcome.message;
  switch (state) {
    case 'Suspending':
      return `spec.suspend is true; pods end: ${podProblems(allPods(observed, view), nowMs) ?? 'after a checkpoint'}`;
    case 'Suspended':
      return 'spec.suspend is true; set it to false to go on from the newest checkpoint';
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

/** What the coordinator says; with the time since when it has been silent. */
function answered(observed: Observed, view: JobView): string {
  const { control } = observed;
  const { reply } = view;
  const obstacle = callObstacle(observed, view);
  if (obstacle !== undefined) return obstacle;
  if (reply === undefined) return 'the coordinator has not been asked yet';
  if (control?.error === undefined) return reply.reason;
  const since = control.statusMs === undefined ? '' : ` since ${timeText(control.statusMs)}`;
  return `${reply.reason}; no answer from the coordinator${since}`;
}

/** Permanent reason why a running coordinator can't be called; undefined if waiting may help. */
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
  return `no worker is wanted: kubectl scale tj/${job.metadata.name} --replicas=N`;
}

/** What keeps the operator from making what the job needs. */
function obstacles({ taken = [], trouble }: Observed): string[] {
  const names = taken.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  const foreign = names === '' ? [] : [`${names} belongs to somebody else: delete it, or give the job another name`];
  return trouble === undefined ? foreign : [...foreign, trouble];
}

/** The coordinator that is to come. */
function awaited(observed: Observed, view: JobView, nowMs: number): string {
  const { pod, memory, attempts } = view;
  const unanswered = () => callObstacle(observed, view) ?? `${pod?.metadata?.name}: Running, no reply yet`;
  if (pod !== undefined) return podProblem(pod, nowMs) ?? unanswered();
  const stray = attempts.find(({ end }) => end === undefined);
  if (stray) return podProblem(stray.pod, nowMs) ?? `${stray.pod.metadata?.name} still runs`;
  const again = memory.startAfter === undefined ? '' : `, not before ${memory.startAfter}`;
  if (memory.ended === 0) return 'the coordinator is to start';
  return `start ${memory.ended} of the coordinator ended (${memory.lastEnd ?? 'unknown'}); the next one is to come${again}`;
}
