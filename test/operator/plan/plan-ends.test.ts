import { describe, expect, it } from 'vitest';
import type { V1Pod } from '@kubernetes/client-node';
import { planJob } from '../../../operator/plan/plan-job.js';
import type { Observed } from '../../../operator/plan/types.js';
import type { State } from '../../../operator/resource/status.js';
import * as k from '../objects.js';
import { begun, training, settled, done, stateOf, withSpec, withCoordinator } from '../situations.js';

const { noonMs, second } = k;

describe('a coordinator that ends', () => {
  const before = settled(begun(k.running, { control: training() }));
  const ended = (status: V1Pod['status'], deletedMs?: number) =>
    withCoordinator({ ...before, control: undefined }, k.coordinatorPod(before.job, 1, status ?? {}, deletedMs));
  const startSecond = ['secrets', 'create Pod cifar10-coordinator-2'];
  const later = noonMs + 90 * second;

  it.each<[string, Observed, State, [restarts: number, failures: number], string]>([
    ['exit code 1', ended(k.exited(1)), 'Restarting', [1, 1], 'exit code 1'],
    ['out of memory', ended(k.exited(137, { reason: 'OOMKilled' })), 'Restarting', [1, 1], 'exit code 137 (OOMKilled)'],
    ['exit code 130', ended(k.exited(130)), 'Restarting', [1, 0], 'exit code 130'],
    [
      'evicted',
      ended({ phase: 'Failed', reason: 'Evicted', message: 'low on memory' }),
      'Restarting',
      [1, 0],
      'Evicted: low on memory',
    ],
    [
      'preempted',
      ended({
        ...k.exited(137),
        conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }],
      }),
      'Restarting',
      [1, 0],
      'PreemptionByScheduler',
    ],
    ['killed while deleted', ended(k.exited(137), noonMs), 'Restarting', [1, 0], 'its pod was deleted'],
    ['deleted', withCoordinator({ ...before, control: undefined }), 'Restarting', [1, 0], 'its pod was deleted'],
    ['no room on its node', ended({ phase: 'Failed', reason: 'OutOfcpu' }), 'Restarting', [1, 0], 'OutOfcpu'],
    [
      'exit code 2',
      ended(k.exited(2, { message: 'lockstep: job spec: 1 problem' })),
      'Failed',
      [0, 1],
      'the coordinator rejected the job: exit code 2: lockstep: job spec',
    ],
    [
      'exit code 0',
      ended(k.exited(0)),
      'Succeeded',
      [0, 0],
      'all epochs completed; report: run/report/index.html in claim cifar10-run',
    ],
  ])('%s', (_, observed, state, [restarts, failures], message) => {
    const { status } = planJob(observed, later);
    expect(status).toMatchObject({ state, restarts, coordinator: { attempt: 1, ended: 1, failures } });
    expect(status.message).toContain(message);
  });

  it('is restarted at once when it was lost, after a second when it failed', () => {
    const lost = settled(ended({ phase: 'Failed', reason: 'Evicted' }), later);
    expect(done(lost, later)).toEqual(startSecond);
    const failed = settled(ended(k.exited(1)), later);
    expect(planJob(failed, later)).toMatchObject({ actions: [], againMs: second });
    expect(done(failed, later + second)).toEqual(startSecond);
  });

  it('is reported by one event', () => {
    expect(done(ended(k.exited(1)), later)).toEqual(['warning CoordinatorFailed']);
    const message = 'start 1 of the coordinator ended: exit code 1';
    expect(planJob(ended(k.exited(1)), later).actions[0]).toMatchObject({ message });
  });

  it('fails the job when backoffLimit is exceeded, and only then', () => {
    const once = ended(k.exited(1, { message: 'disk is full' }));
    expect(stateOf(withSpec(once, { backoffLimit: 1 }))).toBe('Restarting');
    const over = withSpec(once, { backoffLimit: 0 });
    expect(planJob(over, noonMs).status.message).toBe(
      'the coordinator failed once, more than backoffLimit 0 allows; last failure: exit code 1: disk is full',
    );
    expect(done(over)).toEqual(['delete Deployment cifar10-worker', 'warning CoordinatorFailed', 'warning Failed']);
  });

  it('leaves its last failed pod for the log, which is deleted when the next one runs', () => {
    const failed = settled(ended(k.exited(1)), later);
    const next = (status: V1Pod['status']) =>
      withCoordinator(
        failed,
        k.coordinatorPod(failed.job, 1, k.exited(1)),
        k.coordinatorPod(failed.job, 2, status ?? {}),
      );
    expect(done(next({ phase: 'Pending' }), later)).toEqual([]);
    expect(done(next(k.running), later)).toEqual(['delete Pod cifar10-coordinator-1']);
  });

  it('has finished if it reported so, whatever became of its pod', () => {
    const finished = settled({ ...before, control: training({ state: 'finished' }) });
    expect(stateOf(withCoordinator({ ...finished, control: undefined }))).toBe('Succeeded');
    expect(stateOf(withCoordinator(finished, k.coordinatorPod(before.job, 1, k.exited(137))))).toBe('Succeeded');
  });
});

describe('a coordinator whose node is lost', () => {
  const before = settled(begun(k.running, { control: training() }));

  it('is never replaced before its pod is gone, as it might still write', () => {
    const pod = k.coordinatorPod(before.job, 1, k.running, noonMs);
    const observed = withCoordinator({ ...before, control: undefined }, pod);
    expect(planJob(observed, noonMs)).toMatchObject({ actions: [], againMs: 60 * second });
    const { status, actions } = planJob(observed, noonMs + 61 * second);
    expect(actions).toEqual([]);
    expect(status.state).toBe('Restarting');
    expect(status.message).toBe(
      'cifar10-coordinator-1: terminating since 2026-01-31T12:00:00Z, but node node-a has not confirmed; ' +
        'if that node is definitely off: kubectl delete pod cifar10-coordinator-1 --force',
    );
  });

  it('is reported as silent while it is not deleted', () => {
    const observed = withCoordinator(
      { ...before, control: undefined },
      k.coordinatorPod(before.job, 1, { phase: 'Unknown' }),
    );
    expect(planJob(observed, noonMs).status).toMatchObject({
      state: 'Restarting',
      message: 'cifar10-coordinator-1: Unknown, node node-a is unresponsive',
    });
    expect(done(observed)).toEqual([]);
  });
});
