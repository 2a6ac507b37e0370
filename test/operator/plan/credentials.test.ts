import type { V1Deployment, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import {
  areDerivedFrom,
  certificateDays,
  credentialsOf,
  currentCredentials,
} from '../../../operator/plan/credentials.js';
import { labelKeys } from '../../../operator/plan/names.js';
import { planJob } from '../../../operator/plan/plan-job.js';
import type { Action, Observed } from '../../../operator/plan/types.js';
import * as k from '../objects.js';
import { begun, done, settled, stateOf, training, withCoordinator } from '../situations.js';

const { noonMs, second } = k;
const dayMs = 86_400 * second;
const otherKey = 'decaf000';

describe('credentials', () => {
  const created = (job = k.makeJob()) => ({
    ...job,
    metadata: { ...job.metadata, creationTimestamp: new Date(noonMs) },
  });

  it('are of the job’s UID, the operator’s key and the year of the job', () => {
    const job = created();
    const at = (days: number) => currentCredentials(job, k.keyId, noonMs + days * dayMs);
    expect([at(-1), at(0), at(364), at(365), at(730)].map((name) => name.slice(-1))).toEqual(['0', '0', '0', '1', '2']);
    expect(at(0)).toBe('uid-of-t-00c0ffee-0');
    const another = { ...job, metadata: { ...job.metadata, uid: '7f3a9c01-0000-4000-8000-000000000000' } };
    expect(currentCredentials(another, otherKey, noonMs)).toBe('7f3a9c01-decaf000-0');
  });

  it('have two thirds of their certificates’ life left at any start that shares them', () => {
    const job = created();
    const last = (start: number) => currentCredentials(job, k.keyId, noonMs + start * dayMs);
    const shared = Array.from({ length: 1200 }, (_, day) => day).filter((day) => last(day) === last(0));
    expect(certificateDays - shared.at(-1)!).toBeGreaterThanOrEqual((2 / 3) * certificateDays);
  });

  it('are accepted from a pod’s label only as an operator wrote them', () => {
    const withLabel = (label: string) => ({ metadata: { labels: { [labelKeys.credentials]: label } } });
    expect(credentialsOf(withLabel('7f3a9c01-00c0ffee-12'))).toBe('7f3a9c01-00c0ffee-12');
    for (const label of ['', '7f3a9c01', '7f3a9c01-00c0ffee-', 'x-7f3a9c01-00c0ffee-0', '7f3a9c01-00C0FFEE-0']) {
      expect(credentialsOf(withLabel(label))).toBeUndefined();
    }
    expect(credentialsOf({})).toBeUndefined();
  });

  it('are the operator’s own only with its key and for this job', () => {
    const job = k.makeJob();
    expect(areDerivedFrom(k.credentials, job, k.keyId)).toBe(true);
    expect(areDerivedFrom(k.credentials, job, otherKey)).toBe(false);
    expect(areDerivedFrom(`other-id-${k.keyId}-0`, job, k.keyId)).toBe(false);
    expect(areDerivedFrom(undefined, job, k.keyId)).toBe(false);
  });
});

describe('a coordinator started by an operator with another key', () => {
  const mounted = (spec: V1PodSpec | undefined) =>
    spec?.volumes?.flatMap(({ secret }) => (secret ? [secret.secretName] : [])) ?? [];
  const names = (credentials: string, role: string) => [
    `cifar10-${role}-tls-${credentials}`,
    `cifar10-token-${credentials}`,
  ];
  const workerSecrets = ({ children }: Observed) => {
    const deployment = children.find(({ kind }) => kind === 'Deployment') as V1Deployment;
    return mounted(deployment.spec?.template.spec);
  };
  const writtenSecrets = (actions: readonly Action[]) =>
    actions.flatMap((action) => {
      const object = action.type === 'create' || action.type === 'apply' ? action.object : undefined;
      if (object?.kind === 'Pod') return [mounted((object as V1Pod).spec)];
      return object?.kind === 'Deployment' ? [mounted((object as V1Deployment).spec?.template.spec)] : [];
    });
  const before = settled(begun(k.running, { control: training() }));
  /** A new operator, without any memory. */
  const taken: Observed = { ...before, keyId: otherKey, control: undefined };

  it('is polled and shown by the operator with the same key', () => {
    expect(workerSecrets(before)).toEqual(names(k.credentials, 'worker'));
    expect(planJob(before, noonMs).ask).toMatchObject({ pod: 'cifar10-coordinator-1' });
    expect(before.job.status?.coordinator).toMatchObject({ credentials: k.credentials });
  });

  it('continues with its workers and is not polled; the message says how to see its progress again', () => {
    const { actions, ask, status } = planJob(taken, noonMs + second);
    expect([actions, ask, status.state]).toEqual([[], undefined, 'Running']);
    expect(status.message).toBe(
      'progress unavailable: cifar10-coordinator-1 was started with another operator key or by an operator ' +
        'before 0.5.5; it keeps running; to restart it from a checkpoint: kubectl delete pod cifar10-coordinator-1',
    );
  });

  it('gives way at its next start to one with Secrets of the operator’s own key, and so do the workers', () => {
    const ended = withCoordinator(taken);
    const later = noonMs + 90 * second;
    const { actions } = planJob(ended, later);
    const current = `uid-of-t-${otherKey}-0`;
    expect(actions.map(k.brief)).toEqual([
      ...['secrets', 'create Pod cifar10-coordinator-2', 'apply Deployment cifar10-worker'],
      'warning CoordinatorLost',
    ]);
    expect(actions).toContainEqual(expect.objectContaining({ type: 'secrets', credentials: current }));
    expect(writtenSecrets(actions)).toEqual([names(current, 'coordinator'), names(current, 'worker')]);
  });

  it('finishes its job without being polled', () => {
    expect(stateOf(withCoordinator(taken, k.coordinatorPod(taken.job, 1, k.exited(0))))).toBe('Succeeded');
  });

  it('is also recognised if started by an operator before 0.5.5, whose Secrets had no credentials in their names', () => {
    const pod = k.coordinatorPod(before.job, 1, k.running);
    delete pod.metadata!.labels![labelKeys.credentials];
    const { credentials, ...memory } = before.job.status!.coordinator!;
    expect(credentials).toBe(k.credentials);
    const job = { ...before.job, status: { ...before.job.status!, coordinator: memory } };
    const old = withCoordinator({ ...before, job, control: undefined }, pod);
    const { actions, ask, status } = planJob(old, noonMs + second);
    expect(ask).toBeUndefined();
    expect(status.message).toContain(
      'cifar10-coordinator-1 was started with another operator key or by an operator before',
    );
    // Written once by this operator, with its coordinator's Secrets.
    expect(writtenSecrets(actions)).toEqual([['cifar10-worker-tls', 'cifar10-token']]);
    expect(done(withCoordinator(old))).toContain('create Pod cifar10-coordinator-2');
  });
});

describe('a coordinator whose Secrets another owner made', () => {
  const untrusted = { pod: 'cifar10-coordinator-1', error: 'watch: expected …', untrusted: true };

  it.each([
    ['before it has answered', begun(k.running, { control: untrusted })],
    [
      'after it has answered',
      { ...settled(begun(k.running, { control: training() })), control: { ...training(), ...untrusted } },
    ],
  ])('is reported with what to delete: %s', (_, observed) => {
    const { status } = planJob(observed, noonMs + 10 * second);
    const [tls, token] = [`cifar10-coordinator-tls-${k.credentials}`, `cifar10-token-${k.credentials}`];
    expect(status.message).toContain(
      `Secret ${tls} or ${token} isn't the operator's: kubectl delete secret ${tls} ${token}`,
    );
    expect(status.message).toContain('kubectl delete pod cifar10-coordinator-1');
  });

  it('is not blamed for what another pod did', () => {
    const observed = begun(k.running, { control: { ...untrusted, pod: 'cifar10-coordinator-0' } });
    expect(planJob(observed, noonMs).status.message).not.toContain('Secret');
  });
});
