import type { V1Pod } from '@kubernetes/client-node';
import { planJob } from '../../operator/plan/plan-job.js';
import type { Observed } from '../../operator/plan/types.js';
import type { TrainingJobStatus } from '../../operator/resource/status.js';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import * as k from './objects.js';

/** Initial situations of the plan's tests, and views of their results. */

const { noonMs } = k;

/** A job whose objects exist, with its coordinator at its first start. */
export function begun(status: V1Pod['status'] = k.running, changes: Partial<Observed> = {}, job = k.makeJob()) {
  const made = k.madeBy(planJob(k.observe(job), noonMs).actions).filter(({ kind }) => kind !== 'Pod');
  const children = [...made, k.coordinatorPod(job, 1, status ?? {})];
  return k.observe(job, { children, ...changes });
}

export function training(changes: Partial<Parameters<typeof k.reply>[0]> = {}) {
  return { pod: 'cifar10-coordinator-1', status: k.reply(changes), statusMs: noonMs };
}

/** The same observations, with the status that the plan wrote: the next plan's input. */
export function settled(observed: Observed, nowMs = noonMs): Observed {
  return { ...observed, job: { ...observed.job, status: planJob(observed, nowMs).status } };
}

export const done = (observed: Observed, nowMs = noonMs) => planJob(observed, nowMs).actions.map(k.brief);
export const stateOf = (observed: Observed, nowMs = noonMs) => planJob(observed, nowMs).status.state;
export const withSpec = (observed: Observed, spec: TrainingJob['spec']): Observed => ({
  ...observed,
  job: { ...observed.job, spec: { ...observed.job.spec, ...spec } },
});
export const withCoordinator = (observed: Observed, ...pods: V1Pod[]): Observed => ({
  ...observed,
  children: [...observed.children.filter(({ kind }) => kind !== 'Pod'), ...pods],
});
export const condition = (status: TrainingJobStatus, type: string) =>
  status.conditions.find((one) => one.type === type);
