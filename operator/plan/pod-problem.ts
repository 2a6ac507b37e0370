import type { V1ContainerStateWaiting, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { isDeleting } from './attempts.js';
import { timeMs, timeText } from './time.js';

/** One-line reasons why a pod isn't running, as from `kubectl describe`. */

/** A responsive node terminates a pod within this time after its grace period. */
const overdueMs = 60_000;
const mostNamed = 3;
const mostLetters = 300;

export function isLive({ status }: V1Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** E.g. "cifar10-worker-x: Pending, 0/3 nodes are available: 3 Insufficient nvidia.com/gpu"; undefined if it is running. */
export function podProblem(pod: V1Pod, nowMs: number): string | undefined {
  const what = isDeleting(pod) ? deletionProblem(pod, nowMs) : (containerProblem(pod) ?? phaseProblem(pod));
  return what === undefined ? undefined : `${pod.metadata?.name ?? 'pod'}: ${shorten(what)}`;
}

/** Problems of several pods: the first three, and the number of others. */
export function podProblems(pods: readonly V1Pod[], nowMs: number): string | undefined {
  const problems = pods
    .filter(isLive)
    .flatMap((pod) => podProblem(pod, nowMs) ?? [])
    .sort();
  if (problems.length === 0) return undefined;
  const more = problems.length - mostNamed;
  return [...problems.slice(0, mostNamed), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** Time when the deletion of a pod becomes overdue; undefined if it isn't being deleted. */
export function overdueAtMs({ metadata }: V1Pod): number | undefined {
  const deadlineMs = timeMs(metadata?.deletionTimestamp);
  return deadlineMs === undefined ? undefined : deadlineMs + overdueMs;
}

function deletionProblem(pod: V1Pod, nowMs: number): string {
  if (nowMs < overdueAtMs(pod)!) return 'terminating';
  const since = timeText(timeMs(pod.metadata?.deletionTimestamp)!);
  return (
    `terminating since ${since}, but node ${pod.spec?.nodeName ?? '(none)'} has not confirmed; ` +
    `if that node is definitely off: kubectl delete pod ${pod.metadata?.name} --force`
  );
}

function containerProblem({ status }: V1Pod): string | undefined {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const container of statuses) {
    const waiting = container.state?.waiting;
    if (waiting?.reason === undefined || waiting.reason === 'PodInitializing') continue;
    return describeWaiting(waiting, container);
  }
  return undefined;
}

/** Describes a waiting container; in a crash loop by the last line of its output. */
function describeWaiting({ reason, message }: V1ContainerStateWaiting, { lastState }: V1ContainerStatus): string {
  const last = lastState?.terminated;
  const lastLine = last?.message?.trim().split('\n').at(-1);
  const exit = last === undefined ? undefined : `exit code ${last.exitCode}${lastLine ? `: ${lastLine}` : ''}`;
  return [reason, exit ?? message].filter(Boolean).join(', ');
}

function phaseProblem({ status, spec }: V1Pod): string | undefined {
  const phase = status?.phase ?? 'Pending';
  if (phase === 'Running') return undefined;
  if (phase === 'Unknown') return `Unknown, node ${spec?.nodeName ?? '(none)'} is unresponsive`;
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const why = scheduled?.status === 'False' ? scheduled.message : undefined;
  return [phase, why ?? status?.message].filter(Boolean).join(', ');
}

function shorten(text: string): string {
  return text.length <= mostLetters ? text : `${text.slice(0, mostLetters)}…`;
}
