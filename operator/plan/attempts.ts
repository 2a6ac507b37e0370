import type { KubernetesObject, V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import { z } from 'zod';
import { cleanText } from '../resource/clean-text.js';
import { labelKeys } from './names.js';

/** Starts of a coordinator, each with a pod of its own, and their ends. */

export interface Attempt {
  readonly number: number;
  readonly pod: V1Pod;
  /** Undefined while its process may be running. */
  readonly end: End | undefined;
}

export type End =
  | { readonly type: 'succeeded'; readonly finalResult: FinalResult | undefined }
  /** Every further start would fail in the same way. */
  | { readonly type: 'wrong'; readonly reason: string }
  | { readonly type: 'failed'; readonly reason: string }
  /** Ended by its environment, such as an eviction; not a failure. */
  | { readonly type: 'lost'; readonly reason: string };

const hexDigest = z.string().regex(/^[0-9a-f]{64}$/);

/** Result that a finished coordinator leaves in its pod's termination message. */
const finalResultSchema = z.object({
  outcome: z.enum(['finished', 'stopped']),
  step: z.int().min(0),
  epoch: z.int().min(0),
  digest: hexDigest,
  fingerprint: hexDigest.optional(),
  device: z.string().max(253).optional(),
  loss: z.number().optional(),
  accuracy: z.number().min(0).max(1).optional(),
});
export type FinalResult = z.infer<typeof finalResultSchema>;

/** Characters kept of a pod's termination message. */
const maxMessage = 800;
const wrongUsageExitCode = 2;
/** Stopped on request, or ended by SIGTERM. */
const stoppedExitCodes: readonly number[] = [130, 143];
/** Reasons given by kubelet, node shutdown or scheduler for pods that they end or don't admit. */
const lostReasons: readonly string[] = [
  'Evicted',
  'NodeAffinity',
  'NodeLost',
  'NodeShutdown',
  'Preempting',
  'Shutdown',
  'Terminated',
  'UnexpectedAdmissionError',
];

/** The job's coordinator starts in ascending order. @param children - objects owned by the job. */
export function attemptsOf(children: readonly KubernetesObject[]): Attempt[] {
  return children
    .filter((child) => child.kind === 'Pod')
    .map((pod: V1Pod) => ({ pod, number: Number(pod.metadata?.labels?.[labelKeys.attempt]) }))
    .filter(({ number }) => Number.isSafeInteger(number) && number > 0)
    .map(({ pod, number }) => ({ pod, number, end: endOf(pod) }))
    .sort((a, b) => a.number - b.number);
}

export function isDeleting({ metadata }: KubernetesObject): boolean {
  return metadata?.deletionTimestamp !== undefined;
}

/** End of a pod; undefined if it hasn't ended, or if its node is unresponsive. */
function endOf(pod: V1Pod): End | undefined {
  const terminated = pod.status?.containerStatuses?.find(({ name }) => name === 'coordinator')?.state?.terminated;
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || terminated?.exitCode === 0) {
    return { type: 'succeeded', finalResult: readFinalResult(terminated?.message) };
  }
  if (phase !== 'Failed' && terminated === undefined) return undefined;
  const disrupted = disruptionOf(pod);
  if (terminated?.exitCode === wrongUsageExitCode) return { type: 'wrong', reason: describeExit(terminated) };
  if (disrupted !== undefined) return { type: 'lost', reason: disrupted };
  if (terminated === undefined) return { type: 'failed', reason: describeStatus(pod) };
  if (stoppedExitCodes.includes(terminated.exitCode)) return { type: 'lost', reason: describeExit(terminated) };
  return { type: 'failed', reason: describeExit(terminated) };
}

function disruptionOf(pod: V1Pod): string | undefined {
  if (isDeleting(pod)) return 'its pod was deleted';
  const { conditions = [], reason } = pod.status ?? {};
  const disruption = conditions.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  if (disruption) return joined(disruption.reason, disruption.message);
  const isLost = reason !== undefined && (lostReasons.includes(reason) || reason.startsWith('OutOf'));
  return isLost ? describeStatus(pod) : undefined;
}

function describeStatus({ status }: V1Pod): string {
  return joined(status?.reason ?? 'its pod failed', status?.message);
}

function joined(...parts: readonly (string | undefined)[]): string {
  return cleanText(parts.filter(Boolean).join(': '), maxMessage);
}

function describeExit({ exitCode, reason, message }: V1ContainerStateTerminated): string {
  const cause = reason === undefined || reason === 'Error' || reason === 'Completed' ? '' : ` (${reason})`;
  const output = message === undefined ? '' : `: ${tail(message)}`;
  return `exit code ${exitCode}${cause}${output}`;
}

/** End of a log, which usually contains the error. */
function tail(text: string): string {
  const trimmed = text.trim();
  return cleanText(trimmed.length <= maxMessage ? trimmed : `…${trimmed.slice(-maxMessage)}`, maxMessage + 1);
}

function readFinalResult(message: string | undefined): FinalResult | undefined {
  try {
    return finalResultSchema.safeParse(JSON.parse(message ?? '')).data;
  } catch {
    return undefined;
  }
}
