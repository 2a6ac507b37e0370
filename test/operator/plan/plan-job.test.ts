import { describe, expect, it } from 'vitest';
import type { V1Deployment } from '@kubernetes/client-node';
import { planJob } from '../../../operator/plan/plan-job.js';
import * as k from '../objects.js';
import { begun, training, settled, done, stateOf, withSpec, withCoordinator, condition } from '../situations.js';

const { noonMs, second } = k;
const everything = [
  'create PersistentVolumeClaim cifar10-run',
  'create ConfigMap cifar10-job',
  'create Service cifar10-coordinator',
  'create NetworkPolicy cifar10-coordinator',
  'create NetworkPolicy cifar10-worker',
  'create PodDisruptionBudget cifar10-coordinator',
  'create PodDisruptionBudget cifar10-worker',
  'secrets',
  'create Pod cifar10-coordinator-1',
  'create Deployment cifar10-worker',
];

describe('a new job', () => {
  it('gets all that it needs, secrets before the pods that mount them', () => {
    const { actions, status } = planJob(k.observe(k.makeJob()), noonMs);
    expect(actions.map(k.brief)).toEqual(everything);
    expect(status).toMatchObject({ state: 'Pending', startTime: '2026-01-31T12:00:00Z', restarts: 0 });
    expect(status.workers).toEqual({
      ...{ desired: 2, replicas: 0, ready: 0, summary: '0/2' },
      selector: 'lockstep.dev/job-uid=uid-of-the-job,app.kubernetes.io/component=worker',
    });
  });

  it('gets nothing while it is suspended from its creation', () => {
    const observed = k.observe(k.makeJob({ suspend: true }));
    expect(done(observed)).toEqual(['event Suspended']);
    expect(planJob(observed, noonMs).status.startTime).toBeUndefined();
    expect(done(settled(observed))).toEqual([]);
    expect(done(withSpec(settled(observed), { suspend: false }))).toEqual(everything);
  });

  it('fails with all problems of its spec, and nothing is made', () => {
    const observed = k.observe(k.makeJob({ model: 'cnn9', optimizer: { type: 'sgd', momentum: 0, nesterov: true } }));
    const { actions, status } = planJob(observed, noonMs);
    expect(actions.map(k.brief)).toEqual(['warning Failed']);
    expect(status).toMatchObject({ state: 'Failed', completionTime: '2026-01-31T12:00:00Z' });
    expect(status.message).toContain('model: expected one of cnn3, cnn4, resnet20, mlp, or a file');
    expect(status.message).toContain('optimizer.nesterov: expected momentum above 0 with nesterov, got momentum 0');
    expect(condition(status, 'Failed')).toMatchObject({ status: 'True', reason: 'BadSpec' });
  });

  it('fails with a model in a file, which its pods do not have', () => {
    const { status } = planJob(k.observe(k.makeJob({ model: './net.json' })), noonMs);
    expect(status).toMatchObject({ state: 'Failed' });
    expect(status.message).toContain('topology with its JSON, got the file "./net.json", which does not exist in pods');
  });

  it('is left alone once it is being deleted', () => {
    const job = k.makeJob();
    const deleted = { ...job, metadata: { ...job.metadata, deletionTimestamp: new Date(noonMs) } };
    expect(planJob(k.observe(deleted), noonMs).actions).toEqual([]);
  });

  it('leaves names of other owners alone, names the owner, and tries again', () => {
    const observed = k.observe(k.makeJob(), { taken: [{ kind: 'Service', name: 'cifar10-coordinator' }] });
    const { actions, status, againMs } = planJob(observed, noonMs);
    expect(actions).toEqual([]);
    expect(againMs).toBe(10 * second);
    expect(status.message).toContain('Service cifar10-coordinator has another owner');
  });
});

describe('existing objects', () => {
  it('are written again only when they would differ', () => {
    const observed = begun();
    expect(done(observed)).toEqual([]);
    const scaled = withSpec(observed, { workers: { replicas: 8, min: 1 } });
    const [action, ...others] = planJob(scaled, noonMs).actions;
    expect(others).toEqual([]);
    expect(action).toMatchObject({
      type: 'apply',
      object: { kind: 'Deployment', metadata: { uid: 'uid-of-Deployment-cifar10-worker' }, spec: { replicas: 8 } },
    });
  });

  it('are corrected when somebody scaled the Deployment instead of the job', () => {
    const observed = begun();
    const children = observed.children.map((child) =>
      child.kind === 'Deployment' ? { ...child, spec: { ...(child as V1Deployment).spec, replicas: 5 } } : child,
    );
    expect(done({ ...observed, children })).toEqual(['apply Deployment cifar10-worker']);
  });

  it("keep the claim as it was made, as claims can't be changed", () => {
    const observed = begun();
    const children = observed.children.map((child) =>
      child.kind === 'PersistentVolumeClaim'
        ? { ...child, metadata: { ...child.metadata, annotations: { 'lockstep.dev/applied': 'other' } } }
        : child,
    );
    expect(done({ ...observed, children })).toEqual([]);
  });
});

describe('a suspension', () => {
  const trains = settled(begun(k.running, { control: training() }));
  const suspended = withSpec(trains, { suspend: true });

  it('takes a checkpoint, then ends coordinator and workers', () => {
    expect(done(suspended)).toEqual([
      'checkpoint cifar10-coordinator-1',
      'delete Pod cifar10-coordinator-1',
      'delete Deployment cifar10-worker',
      'event Suspending',
    ]);
  });

  it('requests no checkpoint if no coordinator can answer', () => {
    const observed = withSpec(begun({ phase: 'Pending' }), { suspend: true });
    expect(done(observed).slice(0, 2)).toEqual([
      'delete Pod cifar10-coordinator-1',
      'delete Deployment cifar10-worker',
    ]);
  });

  it('is complete when all pods are gone, and resumes where it stopped without counting as a restart', () => {
    const stopping = settled(suspended);
    const ends = withCoordinator(stopping, k.coordinatorPod(trains.job, 1, k.running, noonMs));
    const worker = k.workerPod(trains.job, 'w-1', k.running);
    const withoutDeployment = ends.children.filter(({ kind }) => kind !== 'Deployment');
    expect(done({ ...ends, children: withoutDeployment })).toEqual([]);
    const gone = { ...withCoordinator(ends), workerPods: [worker], control: undefined };
    expect(stateOf(gone)).toBe('Suspending');
    const over = settled({ ...gone, workerPods: [] });
    expect(over.job.status).toMatchObject({ state: 'Suspended', restarts: 0, coordinator: { ended: 1, failures: 0 } });
    const resumed = withSpec(over, { suspend: false });
    expect(done(resumed)).toEqual(['secrets', 'create Pod cifar10-coordinator-2']);
    const { status } = planJob(resumed, noonMs + 3600 * second);
    expect(status).toMatchObject({
      state: 'Pending',
      restarts: 0,
      startTime: '2026-01-31T13:00:00Z',
      progress: '41 %',
    });
  });

  it('gives way to a run that finishes just then', () => {
    expect(stateOf(withCoordinator(suspended, k.coordinatorPod(trains.job, 1, k.exited(0))))).toBe('Succeeded');
  });
});

describe('time limits', () => {
  it('fail a job that is active for longer than activeDeadlineSeconds', () => {
    const job = k.makeJob({ activeDeadlineSeconds: 60 });
    const observed = settled(begun(k.running, { control: training() }, job));
    expect(planJob(observed, noonMs + 59 * second)).toMatchObject({ againMs: second, status: { state: 'Running' } });
    const { status, actions } = planJob(observed, noonMs + 60 * second);
    expect(condition(status, 'Failed')).toMatchObject({ status: 'True', reason: 'DeadlineExceeded' });
    expect(actions.map(k.brief)).toEqual([
      'delete Pod cifar10-coordinator-1',
      'delete Deployment cifar10-worker',
      'warning Failed',
    ]);
  });

  it('do not run while a job is suspended', () => {
    const job = k.makeJob({ activeDeadlineSeconds: 60, suspend: true });
    expect(stateOf(settled(k.observe(job)), noonMs + 3600 * second)).toBe('Suspended');
  });

  it('delete a job that is over after ttlSecondsAfterFinished', () => {
    const job = k.makeJob({ ttlSecondsAfterFinished: 30 });
    const over = settled(withCoordinator(settled(begun(k.running, {}, job)), k.coordinatorPod(job, 1, k.exited(0))));
    expect(planJob(over, noonMs + 29 * second)).toMatchObject({ againMs: second });
    expect(done(over, noonMs + 29 * second)).toEqual(['delete Deployment cifar10-worker']);
    expect(done(over, noonMs + 30 * second)).toEqual(['delete TrainingJob cifar10']);
    expect(planJob(over, noonMs + 30 * second).actions[0]).toMatchObject({ uid: 'uid-of-the-job' });
  });

  it('leave the last pod of a job that is over, and the objects of others', () => {
    const over = settled(withCoordinator(begun(), k.coordinatorPod(k.makeJob(), 1, k.exited(0))));
    const clean = { ...over, children: over.children.filter(({ kind }) => kind !== 'Deployment') };
    expect(planJob(clean, noonMs)).toMatchObject({ actions: [], status: { state: 'Succeeded' } });
  });
});
