import { describe, expect, it } from 'vitest';
import type { V1Pod } from '@kubernetes/client-node';
import { planJob } from '../../../operator/plan/plan-job.js';
import type { Observed } from '../../../operator/plan/types.js';
import type { State } from '../../../operator/resource/status.js';
import * as k from '../objects.js';
import { begun, training, settled, stateOf, withCoordinator, condition } from '../situations.js';

const { noonMs, second } = k;

describe('the state', () => {
  const pending = { phase: 'Pending' };
  it.each<[string, Observed, State, string]>([
    ['the coordinator is pending', begun(pending), 'Pending', 'cifar10-coordinator-1: Pending'],
    ['it runs and has not answered', begun(), 'Pending', 'Running, no reply yet'],
    [
      'it waits',
      begun(k.running, { control: training({ state: 'waiting', reason: 'waiting for workers: 0 of 1 ready' }) }),
      'WaitingForWorkers',
      'waiting for workers: 0 of 1 ready',
    ],
    ['it trains', begun(k.running, { control: training({ reason: '2 ready' }) }), 'Running', '2 ready'],
    ['it evaluates', begun(k.running, { control: training({ state: 'evaluating' }) }), 'Running', ''],
    ['it writes the report', begun(k.running, { control: training({ state: 'reporting' }) }), 'Running', ''],
    ['it is about to end', begun(k.running, { control: training({ state: 'failed' }) }), 'Running', ''],
    [
      'it is paused',
      begun(k.running, { control: training({ state: 'paused', reason: 'on demand' }) }),
      'Paused',
      'on demand',
    ],
  ])('when %s', (_, observed, state, message) => {
    const { status } = planJob(observed, noonMs);
    expect(status.state).toBe(state);
    expect(status.message).toContain(message);
    expect(condition(status, 'Running')?.status).toBe(state === 'Running' ? 'True' : 'False');
    expect(condition(status, 'WaitingForWorkers')?.status).toBe(state === 'WaitingForWorkers' ? 'True' : 'False');
    expect(condition(status, 'Initialized')?.status).toBe('True');
  });

  it('stays what it was while the coordinator is silent, with the time of its last answer', () => {
    const trains = settled(begun(k.running, { control: training() }));
    const control = { ...training({ reason: 'fast' }), error: 'deadline' };
    const { status } = planJob({ ...trains, control }, noonMs + 20 * second);
    expect(status.state).toBe('Running');
    expect(status.message).toContain('no answer from the coordinator since 2026-01-31T12:00:00Z');
    expect(stateOf({ ...trains, control: undefined }, noonMs + 20 * second)).toBe('Running');
  });

  it('ignores the answer of an earlier start', () => {
    const observed = withCoordinator(
      begun(k.running, { control: training() }),
      k.coordinatorPod(k.makeJob(), 2, { phase: 'Pending' }),
    );
    expect(stateOf(observed)).toBe('Restarting');
  });
});

describe('waiting for workers', () => {
  const waiting = training({
    state: 'waiting',
    reason: 'waiting for workers: 0 of 1 ready',
    workers: 0,
    readyWorkers: 0,
  });
  const worker = (name: string, status: V1Pod['status']) => k.workerPod(k.makeJob(), name, status ?? {});
  const unscheduled = {
    phase: 'Pending',
    conditions: [
      { type: 'PodScheduled', status: 'False', message: '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.' },
    ],
  };
  const pulling = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "lockstep:x"' } };
  const crashed = k.containerStatus(
    'worker',
    'Running',
    { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' } },
    { terminated: { exitCode: 1, message: 'lockstep: starting\nlockstep: join: expected fingerprint 3fa1, got 9c02' } },
  );

  it.each([
    ['no node', unscheduled, 'w-1: Pending, 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.'],
    [
      'no image',
      k.containerStatus('worker', 'Pending', pulling),
      'w-1: ImagePullBackOff, Back-off pulling image "lockstep:x"',
    ],
    [
      'a crash loop',
      crashed,
      'w-1: CrashLoopBackOff, exit code 1: lockstep: join: expected fingerprint 3fa1, got 9c02',
    ],
    ['a node that is silent', { phase: 'Unknown' }, 'w-1: Unknown, node (none) is unresponsive'],
  ])('names the pod and its phase: %s', (_, status, message) => {
    const observed = begun(k.running, {
      control: waiting,
      workerPods: [worker('w-1', status), worker('w-2', k.running)],
    });
    const { status: next } = planJob(observed, noonMs);
    expect(next.message).toBe(`waiting for workers: 0 of 1 ready; ${message}`);
    expect(condition(next, 'WaitingForWorkers')).toMatchObject({
      status: 'True',
      reason: 'TooFewWorkers',
      message: next.message,
    });
  });

  it('names three pods and counts the others', () => {
    const workerPods = [1, 2, 3, 4, 5].map((i) => worker(`w-${i}`, { phase: 'Pending' }));
    expect(planJob(begun(k.running, { control: waiting, workerPods }), noonMs).status.message).toContain(
      'w-1: Pending; w-2: Pending; w-3: Pending; and 2 more',
    );
  });

  it('reports that none is required', () => {
    const observed = begun(k.running, { control: waiting }, k.makeJob({ workers: { replicas: 0 } }));
    const { status } = planJob(observed, noonMs);
    expect(status.message).toContain('0 workers wanted; to add some: kubectl scale tj/cifar10 --replicas=N');
    expect(status.workers?.summary).toBe('0/0');
  });

  it("counts workers as ready by the coordinator's report, not by their pods", () => {
    const workerPods = [1, 2, 3, 4].map((i) => worker(`w-${i}`, k.running));
    const { status } = planJob(
      begun(k.running, { control: training({ workers: 3, readyWorkers: 2 }), workerPods }),
      noonMs,
    );
    expect(status.workers).toMatchObject({ desired: 2, replicas: 4, ready: 2, summary: '2/2' });
  });
});

describe('progress', () => {
  const figures = training({
    ...{ secondsLeft: 191.2, imagesPerSecond: 2456.4, testEpoch: 1, testAccuracy: 0.7276 },
    ...{ digest: 'ab'.repeat(32), digestEpoch: 1, fingerprint: 'ef'.repeat(32), device: 'cpu' },
  });

  it('is what the coordinator reports, in the words of the columns', () => {
    expect(planJob(begun(k.running, { control: figures }), noonMs).status).toMatchObject({
      ...{ epoch: 1, epochs: 2, step: 82, totalSteps: 200, progress: '41 %', eta: '3m12s', loss: '0.5000' },
      ...{ accuracy: '72.76 %', imagesPerSecond: 2456, digest: 'ab'.repeat(32), digestEpoch: 1, device: 'cpu' },
      ...{ fingerprint: 'ef'.repeat(32), report: 'run/report/index.html in claim cifar10-run' },
    });
  });

  it('is written every 5 s at most while the job trains, and at once when the state changes', () => {
    const trains = settled(begun(k.running, { control: figures }));
    const further = (changes: Parameters<typeof training>[0]) => ({
      ...trains,
      control: training({ step: 90, ...changes }),
    });
    expect(planJob(further({}), noonMs + 4 * second).status).toEqual(trains.job.status);
    expect(planJob(further({}), noonMs + 5 * second).status.step).toBe(90);
    expect(planJob(further({ state: 'paused' }), noonMs + 1 * second).status).toMatchObject({
      step: 90,
      imagesPerSecond: 0,
    });
  });

  it('costs no write where nothing has changed', () => {
    const paused = settled(begun(k.running, { control: training({ state: 'paused', imagesPerSecond: 900 }) }));
    expect(planJob(paused, noonMs + 3600 * second).status).toEqual(paused.job.status);
  });

  it('ends with the last report of the coordinator, even if no answer came', () => {
    const word = { outcome: 'finished', step: 1435, epoch: 7, digest: '63f3'.repeat(16), loss: 0.3, accuracy: 0.7276 };
    const observed = begun(k.exited(0, { message: JSON.stringify(word) }));
    expect(planJob(observed, noonMs).status).toMatchObject({
      ...{ state: 'Succeeded', progress: '100 %', epoch: 7, step: 1435, totalSteps: 1435, digest: '63f3'.repeat(16) },
      ...{ accuracy: '72.76 %', loss: '0.3000' },
    });
  });
});

describe('the polled coordinator', () => {
  it('is the one that runs, by the name in its certificate', () => {
    expect(planJob(begun(), noonMs).ask).toEqual({
      ...{ pod: 'cifar10-coordinator-1', address: '10.0.0.7:50061', serverName: 'cifar10-coordinator' },
    });
    expect(planJob(begun({ phase: 'Running', podIP: 'fd00::7' }), noonMs).ask?.address).toBe('[fd00::7]:50061');
    expect(planJob(begun({ phase: 'Pending' }), noonMs).ask).toBeUndefined();
  });
});
