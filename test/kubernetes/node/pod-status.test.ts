import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import {
  type ContainerRecord,
  type ContainerState,
  decideRestart,
  exitCodeOf,
  type Terminated,
} from './container-state.js';
import { type PodRecord, phaseOf, podStatus } from './pod-status.js';
import { foldProbe, unprobed } from './probe-state.js';
import { endpointsOf, namesOf } from './service-endpoints.js';

const waiting: ContainerState = { type: 'waiting', reason: 'ContainerCreating' };
const running: ContainerState = { type: 'running', startedAtMs: 1_000, ready: true, started: true };
const ended = (exitCode: number, ranMs = 100): Terminated => ({
  type: 'terminated',
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAtMs: 1_000,
  finishedAtMs: 1_000 + ranMs,
});
const container = (state: ContainerState, last?: Terminated): ContainerRecord => {
  const record = { name: 'main', image: 'lockstep', state, restarts: last ? 1 : 0 };
  return last ? { ...record, last } : record;
};
const record = (...containers: ContainerRecord[]): PodRecord => {
  return { init: [], containers, podIp: '127.20.128.1', hostIp: '127.0.0.1', startedAtMs: 900, closing: false };
};

describe('the phase of a pod', () => {
  it.each([
    ['Pending', 'Never', [container(waiting)]],
    ['Running', 'Never', [container(running)]],
    ['Pending', 'Always', [container(running), container(waiting)]],
    ['Running', 'Never', [container(running), container(ended(1))]],
    ['Succeeded', 'Never', [container(ended(0)), container(ended(0))]],
    ['Failed', 'Never', [container(ended(0)), container(ended(2))]],
    ['Running', 'OnFailure', [container(ended(2))]],
    ['Succeeded', 'OnFailure', [container(ended(0))]],
    ['Running', 'Always', [container(ended(0))]],
    ['Running', 'Always', [container({ type: 'waiting', reason: 'CrashLoopBackOff' }, ended(1))]],
  ] as const)('is %s under restart policy %s', (phase, policy, containers) => {
    expect(phaseOf(record(...containers), policy)).toBe(phase);
  });

  it('is Failed when it was ended although its policy would have restarted it', () => {
    expect(phaseOf({ ...record(container(ended(143))), closing: true }, 'Always')).toBe('Failed');
  });

  it('is Failed when an init container of a pod that is never restarted failed', () => {
    const withInit = { ...record(container(waiting)), init: [container(ended(1))] };
    expect([phaseOf(withInit, 'Never'), phaseOf(withInit, 'Always')]).toEqual(['Failed', 'Pending']);
  });
});

describe('the status of a pod', () => {
  const pod: V1Pod = {
    spec: { restartPolicy: 'Always', containers: [] },
    status: {
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: 'False', lastTransitionTime: new Date(5) },
      ],
    },
  };
  const condition = (state: ContainerState) =>
    podStatus(pod, record(container(state)), 7_000).conditions!.find(({ type }) => type === 'Ready')!;

  it('keeps conditions of others, and the time of a condition that has not changed', () => {
    const status = podStatus(pod, record(container(waiting)), 7_000);
    expect(status.conditions!.map(({ type }) => type)).toContain('PodScheduled');
    expect(condition(waiting)).toMatchObject({ status: 'False', lastTransitionTime: new Date(5) });
    expect(condition(running)).toMatchObject({ status: 'True', lastTransitionTime: new Date(7_000) });
  });

  it('has the reason why it is not ready', () => {
    const message = 'containers with unready status: [main]';
    expect(condition({ ...running, ready: false })).toMatchObject({ reason: 'ContainersNotReady', message });
  });

  it('reports how a container ended before', () => {
    const crash: ContainerState = { type: 'waiting', reason: 'CrashLoopBackOff', message: 'back-off' };
    const status = podStatus(pod, record(container(crash, ended(3))), 7_000).containerStatuses![0]!;
    expect(status.state).toEqual({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } });
    expect(status.lastState!.terminated).toMatchObject({ exitCode: 3, reason: 'Error', finishedAt: new Date(1_100) });
    expect(status.restartCount).toBe(1);
  });
});

describe('a container that has ended', () => {
  const backoff = { firstMs: 500, mostMs: 3_000, resetMs: 60_000 };

  it.each([
    ['Never', 1, false],
    ['OnFailure', 0, false],
    ['OnFailure', 1, true],
    ['Always', 0, true],
  ] as const)('under policy %s with exit code %i: restarted %s', (policy, code, again) => {
    expect(decideRestart(policy, ended(code), 0, backoff).again).toBe(again);
  });

  it('is restarted at once, then after delays that double up to a limit, and at once after a steady time', () => {
    const delay = (failures: number, ranMs = 100) => {
      const next = decideRestart('Always', ended(1, ranMs), failures, backoff);
      return next.again ? next.delayMs : undefined;
    };
    expect([0, 1, 2, 3, 4].map((failures) => delay(failures))).toEqual([0, 500, 1_000, 2_000, 3_000]);
    expect(delay(4, 60_000)).toBe(0);
  });

  it.each([
    [0, null, 0],
    [2, null, 2],
    [null, 'SIGKILL', 137],
    [null, 'SIGTERM', 143],
  ] as const)('with code %s and signal %s has the exit code %i', (code, signal, exitCode) => {
    expect(exitCodeOf(code, signal)).toBe(exitCode);
  });
});

it("accepts a probe's verdict once enough answers in a row agree", () => {
  const probe = { successThreshold: 2, failureThreshold: 3 };
  const answers = [true, true, false, false, true, false, false, false, true, true];
  let state = unprobed;
  const verdicts = answers.map((answer) => (state = foldProbe(state, answer, probe)).verdict);
  const [p, f, u] = ['passed', 'failed', undefined];
  expect(verdicts).toEqual([u, p, p, p, p, p, p, f, f, p]);
});

describe('a service', () => {
  const ready = [{ type: 'Ready', status: 'True' }];
  const pod = (name: string, change: Partial<V1Pod> = {}): V1Pod => ({
    metadata: { name, namespace: 'lab', labels: { app: 'co' } },
    spec: { containers: [{ name: 'main', ports: [{ name: 'grpc', containerPort: 50061 }] }] },
    status: { podIP: `127.20.128.${name}`, conditions: ready },
    ...change,
  });
  const port = { name: 'grpc', port: 443, targetPort: 'grpc' };
  const service = {
    metadata: { name: 'co', namespace: 'lab' },
    spec: { selector: { app: 'co' }, clusterIP: '127.20.0.9', ports: [port] },
  };
  const deleted = { metadata: { ...pod('3').metadata, deletionTimestamp: new Date(1) } };
  const pods = [
    pod('1'),
    pod('2', { status: { podIP: '127.20.128.2' } }),
    pod('3', deleted),
    pod('4', { metadata: { name: '4', namespace: 'other', labels: { app: 'co' } } }),
    pod('5', { metadata: { name: '5', namespace: 'lab', labels: { app: 'worker' } } }),
  ];

  it('leads to ready pods of its namespace and labels, at the port of that name', () => {
    expect(endpointsOf(service, port, pods)).toEqual([{ host: '127.20.128.1', port: 50061 }]);
  });

  it('is found under its cluster address, or its pods addresses where it has none', () => {
    const headless = {
      ...service,
      metadata: { name: 'h', namespace: 'lab' },
      spec: { ...service.spec, clusterIP: 'None' },
    };
    expect(namesOf([service, headless], pods)).toEqual({ 'lab/co': ['127.20.0.9'], 'lab/h': ['127.20.128.1'] });
  });
});
