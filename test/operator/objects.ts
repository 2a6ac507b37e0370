import type { V1ContainerState, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { CoordinatorStatus } from '../../operator/plan/coordinator-status.js';
import { identityOf, labelsOf, labelKeys } from '../../operator/plan/names.js';
import { metaOf } from '../../operator/plan/objects/meta.js';
import { readJob } from '../../operator/plan/job-context.js';
import type { Action, Observed } from '../../operator/plan/types.js';
import type { TrainingJob, TrainingJobSpec } from '../../operator/resource/training-job.js';

/** Jobs, pods and answers for the tests of the operator's plan. */

export const settings = { image: 'lockstep:test', operatorNamespace: 'lockstep-system' };
export const keyId = '00c0ffee';
/** Of the first starts of `makeJob`. */
export const credentials = `uid-of-t-${keyId}-0`;
/** Reads a spec as the operator does. */
export const read = (job: TrainingJob) => readJob(job, settings);
/** 2026-01-31 12:00:00 UTC. */
export const noonMs = Date.UTC(2026, 0, 31, 12);
export const second = 1_000;

export function makeJob(spec: TrainingJobSpec = {}, rest: Partial<TrainingJob> = {}): TrainingJob {
  const { workers, ...others } = spec;
  return {
    apiVersion: 'lockstep.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name: 'cifar10', namespace: 'ml', uid: 'uid-of-the-job', generation: 1 },
    spec: {
      preset: 'cluster-cnn3',
      // As the API server fills it in.
      ...{ storage: {}, suspend: false, backoffLimit: 3 },
      workers: { replicas: 2, min: 1, ...workers },
      ...others,
    },
    ...rest,
  };
}

export function coordinatorPod(job: TrainingJob, attempt: number, status: V1PodStatus, deletedMs?: number): V1Pod {
  const identity = identityOf(job);
  const name = `${identity.name}-coordinator-${attempt}`;
  const meta = metaOf(identity, name, 'coordinator');
  return {
    kind: 'Pod',
    metadata: {
      ...meta,
      uid: `uid-of-${name}`,
      creationTimestamp: new Date(noonMs),
      labels: { ...meta.labels, [labelKeys.attempt]: String(attempt), [labelKeys.credentials]: credentials },
      ...(deletedMs === undefined ? {} : { deletionTimestamp: new Date(deletedMs) }),
    },
    spec: { containers: [], nodeName: 'node-a' },
    status,
  };
}

export function workerPod(job: TrainingJob, name: string, status: V1PodStatus): V1Pod {
  return {
    kind: 'Pod',
    metadata: { name, uid: `uid-of-${name}`, labels: labelsOf(identityOf(job), 'worker') },
    status,
  };
}

/** The status of a pod whose one container is in `state`, and was in `lastState` before its last restart. */
export function containerStatus(
  name: string,
  phase: string,
  state: V1ContainerState,
  lastState: V1ContainerState = {},
): V1PodStatus {
  const container = { name, state, lastState, image: '', imageID: '', ready: false, restartCount: 0 };
  return { phase, containerStatuses: [container] };
}

export const running: V1PodStatus = { phase: 'Running', podIP: '10.0.0.7' };

export function exited(
  exitCode: number,
  rest: { readonly reason?: string; readonly message?: string } = {},
): V1PodStatus {
  return containerStatus('coordinator', exitCode === 0 ? 'Succeeded' : 'Failed', { terminated: { exitCode, ...rest } });
}

export function reply(changes: Partial<CoordinatorStatus> = {}): CoordinatorStatus {
  return {
    ...{ state: 'training', reason: '', step: 82, totalSteps: 200, epoch: 1, epochs: 2, lossMean: 0.5 },
    ...{ imagesPerSecond: 0, secondsLeft: 9, testEpoch: 0, testAccuracy: 0, digest: '', digestEpoch: 0 },
    ...{ fingerprint: '', device: '', workers: 2, readyWorkers: 2 },
    ...changes,
  };
}

export function observe(job: TrainingJob, changes: Partial<Observed> = {}): Observed {
  return { job, read, keyId, children: [], workerPods: [], ...changes };
}

/** An action in a few words, for lists in tests. */
export function brief(action: Action): string {
  switch (action.type) {
    case 'create':
    case 'apply':
      return `${action.type} ${action.object.kind} ${action.object.metadata?.name}`;
    case 'delete':
      return `delete ${action.kind} ${action.name}`;
    case 'checkpoint':
      return `checkpoint ${action.pod}`;
    case 'secrets':
      return 'secrets';
    case 'event':
      return `${action.warning ? 'warning' : 'event'} ${action.reason}`;
    default:
      return action satisfies never;
  }
}

/** The objects of a job's plan, as the API server would have them. */
export function madeBy(actions: readonly Action[]): KubernetesObject[] {
  return actions
    .flatMap((action) => (action.type === 'create' ? [action.object] : []))
    .map((object) => ({
      ...object,
      metadata: { ...object.metadata, uid: `uid-of-${object.kind}-${object.metadata?.name}` },
    }));
}
