import type { V1ContainerStateWaiting, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { isDeleting } from './attempts.js';
import { timeMs, timeText } from './time.js';

/** Why a pod does not run yet, or not any more, in a line: what `kubectl describe` would be asked for. */

/** A node that answers has ended a pod by then; its grace period is over. */
const overdueMs = 60_000;
const mostNamed = 3;
const mostLetters = 300;

export function isLive({ status }: V1Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** e.g. "cifar10-worker-x: Pending, 0/3 nodes are available: 3 Insufficient nvidia.com/gpu"; undefined when it runs. */
export function podProblem(pod: V1Pod, nowMs: number): string | undefined {
  const what = isDeleting(pod) ? deletionProblem(pod, nowMs) : (containerProblem(pod) ?? phaseProblem(pod));
  return what === undefined ? undefined : `${pod.metadata?.name ?? 'pod'}: ${shorten(what)}`;
}

/** The troubles of some pods: the first few in full. */
export function podProblems(pods: readonly V1Pod[], nowMs: number): string | undefined {
  const troubles = pods
    .filter(isLive)
    .flatMap((pod) => podProblem(pod, nowMs) ?? [])
    .sort();
  if (troubles.length === 0) return undefined;
  const more = troubles.length - mostNamed;
  return [...troubles.slice(0, mostNamed), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** When a pod that is being deleted will be overdue; undefined when it is not being deleted. */
export function overdueAtMs({ metadata }: V1Pod): number | undefined {
  const deadlineMs = timeMs(metadata?.deletionTimestamp);
  return deadlineMs === undefined ? undefined : deadlineMs + overdueMs;
}

function deletionProblem(pod: V1Pod, nowMs: number): string {
  if (nowMs < overdueAtMs(pod)!) return 'ends';
  const since = timeText(timeMs(pod.metadata?.deletionTimestamp)!);
  return (
    `should have ended at ${since}, but node ${pod.spec?.nodeName ?? '(none)'} does not say so; ` +
    `once that node is off for certain: kubectl delete pod ${pod.metadata?.name} --force`
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

/** A container in a crash loop says itself what is wrong. */
function describeWaiting({ reason, message }: V1ContainerStateWaiting, { lastState }: V1ContainerStatus): string {
  const last = lastState?.terminated;
  const lastWords = last?.message?.trim().split('\n').at(-1);
  const died = last === undefined ? undefined : `exit code ${last.exitCode}${lastWords ? `: ${lastWords}` : ''}`;
  return [reason, died ?? message].filter(Boolean).join(', ');
}

function phaseProblem({ status, spec }: V1Pod): string | undefined {
  const phase = status?.phase ?? 'Pending';
  if (phase === 'Running') return undefined;
  if (phase === 'Unknown') return `Unknown, node ${spec?.nodeName ?? '(none)'} does not answer`;
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const why = scheduled?.status === 'False' ? scheduled.message : undefined;
  return [phase, why ?? status?.message].filter(Boolean).join(', ');
}

function shorten(text: string): string {
  return text.length <= mostLetters ? text : `${text.slice(0, mostLetters)}…`;
}
