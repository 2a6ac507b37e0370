import type { V1ContainerState, V1ContainerStatus, V1Pod, V1PodCondition, V1PodStatus } from '@kubernetes/client-node';
import type { ContainerRecord, ContainerState, RestartPolicy, Terminated } from './container-state.js';

/** A node's knowledge of a pod. */
export interface PodRecord {
  readonly init: readonly ContainerRecord[];
  readonly containers: readonly ContainerRecord[];
  readonly podIp: string | undefined;
  readonly hostIp: string;
  readonly startedAtMs: number;
  /** No container will be started any more. */
  readonly closing: boolean;
}

/** The status that a kubelet reports; conditions from others, such as the scheduler's, are kept. */
export function podStatus(pod: V1Pod, record: PodRecord, nowMs: number): V1PodStatus {
  const policy = (pod.spec?.restartPolicy ?? 'Always') as RestartPolicy;
  const phase = phaseOf(record, policy);
  const status: V1PodStatus = {
    phase,
    hostIP: record.hostIp,
    startTime: new Date(record.startedAtMs),
    conditions: conditionsOf(pod, record, phase, nowMs),
    containerStatuses: record.containers.map(containerStatus),
  };
  if (record.podIp !== undefined) Object.assign(status, { podIP: record.podIp, podIPs: [{ ip: record.podIp }] });
  if (record.init.length > 0) status.initContainerStatuses = record.init.map(containerStatus);
  return status;
}

/** Pending until every container has run once; then derived from its containers and its policy. */
export function phaseOf({ init, containers, closing }: PodRecord, policy: RestartPolicy): string {
  const failed = ({ state }: ContainerRecord) => state.type === 'terminated' && state.exitCode !== 0;
  if (init.some(failed) && (policy === 'Never' || closing)) return 'Failed';
  if (containers.every(({ state }) => state.type === 'terminated') && (closing || policy !== 'Always')) {
    const anyFailed = containers.some(failed);
    if (!anyFailed) return 'Succeeded';
    if (policy === 'Never' || closing) return 'Failed';
  }
  const hasRun = ({ state, last }: ContainerRecord) => state.type !== 'waiting' || last !== undefined;
  return containers.every(hasRun) ? 'Running' : 'Pending';
}

function isReady({ state }: ContainerRecord): boolean {
  return state.type === 'running' && state.ready;
}

function conditionsOf(pod: V1Pod, record: PodRecord, phase: string, nowMs: number): V1PodCondition[] {
  const over = phase === 'Succeeded' || phase === 'Failed';
  const initialized = record.init.every(({ state }) => state.type === 'terminated' && state.exitCode === 0);
  const unready = record.containers.filter((container) => !isReady(container)).map(({ name }) => name);
  const readiness = readinessReason(phase, unready);
  const wanted = [
    { type: 'PodReadyToStartContainers', ok: record.podIp !== undefined && !over },
    { type: 'Initialized', ok: initialized },
    { type: 'Ready', ok: unready.length === 0, ...readiness },
    { type: 'ContainersReady', ok: unready.length === 0, ...readiness },
  ];
  const before = pod.status?.conditions ?? [];
  const own = new Set(wanted.map(({ type }) => type));
  return [
    ...before.filter(({ type }) => !own.has(type)),
    ...wanted.map(({ ok, ...rest }) => {
      const status = ok ? 'True' : 'False';
      const earlier = before.find(({ type }) => type === rest.type);
      const since = earlier?.status === status ? earlier.lastTransitionTime : undefined;
      return { ...rest, status, lastTransitionTime: since ?? new Date(nowMs) };
    }),
  ];
}

function readinessReason(phase: string, unready: readonly string[]): { reason?: string; message?: string } {
  if (phase === 'Succeeded') return { reason: 'PodCompleted' };
  if (phase === 'Failed') return { reason: 'PodFailed' };
  if (unready.length === 0) return {};
  return { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
}

function containerStatus(record: ContainerRecord): V1ContainerStatus {
  const { name, image, state, last, restarts } = record;
  const status: V1ContainerStatus = {
    name,
    image,
    imageID: image,
    ready: isReady(record),
    started: state.type === 'running' && state.started,
    restartCount: restarts,
    state: stateOf(state),
  };
  if (last) status.lastState = stateOf(last);
  return status;
}

function stateOf(state: ContainerState): V1ContainerState {
  if (state.type === 'waiting') {
    const { reason, message } = state;
    return { waiting: message === undefined ? { reason } : { reason, message } };
  }
  if (state.type === 'running') return { running: { startedAt: new Date(state.startedAtMs) } };
  return { terminated: terminatedOf(state) };
}

function terminatedOf({ exitCode, reason, message, startedAtMs, finishedAtMs }: Terminated) {
  const times = { startedAt: new Date(startedAtMs), finishedAt: new Date(finishedAtMs) };
  return { exitCode, reason, ...times, ...(message === undefined ? {} : { message }) };
}
