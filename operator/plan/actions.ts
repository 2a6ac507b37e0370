import type { KubernetesObject, V1Deployment } from '@kubernetes/client-node';
import type { TrainingJob } from '../resource/training-job.js';
import { isDeleting } from './attempts.js';
import type { JobContext } from './job-context.js';
import { currentCredentials } from './credentials.js';
import type { JobView } from './job-view.js';
import { appliedAnnotation, certificateHosts } from './names.js';
import { jobConfig } from './objects/config.js';
import { coordinatorPod } from './objects/coordinator-pod.js';
import { disruptionBudgets } from './objects/disruption.js';
import { coordinatorService, networkPolicies } from './objects/network.js';
import { storageClaims } from './objects/storage.js';
import { workerDeployment } from './objects/worker-deployment.js';
import { timeMs } from './time.js';
import type { Action, Desired, Observed } from './types.js';

/** Actions for a job that should run: creates missing objects and updates those that differ. */
export function runActions(observed: Observed, view: JobView, context: JobContext, nowMs: number): Action[] {
  const { children, taken = [], job, keyId } = observed;
  // While a name is taken, nothing is created. It is retried when its entry in `taken` expires.
  const create = (actions: Action[]) => (taken.length > 0 ? actions.filter(({ type }) => type !== 'create') : actions);
  const objects = [
    ...storageClaims(context).flatMap((claim) => ensure(children, claim, 'create only')),
    ...ensure(children, jobConfig(context)).map((action) => withTopology(action, context)),
    ...[coordinatorService(context), ...networkPolicies(context), ...disruptionBudgets(context)].flatMap((object) =>
      ensure(children, object),
    ),
  ];
  const current = currentCredentials(job, keyId, nowMs);
  const start = taken.length > 0 ? [] : startActions(view, context, { credentials: current, nowMs });
  // Workers are replaced together with their coordinator: only workers with its credentials can join.
  const isNew = start.length > 0 || view.memory.attempt === 0;
  const credentials = isNew ? current : view.memory.credentials;
  return [
    ...create(objects),
    ...start,
    ...(isTrainingDone(view)
      ? stopWorkers(observed, 'training and evaluation are complete')
      : create(ensure(children, workerDeployment(context, credentials)))),
    ...supersededActions(view),
  ];
}

/** True if workers have nothing left to do. Their Deployment would restart them without a coordinator to join. */
function isTrainingDone({ reply, memory }: JobView): boolean {
  return reply?.state === 'reporting' || reply?.state === 'finished' || memory.finished === memory.attempt;
}

/** Creates a child, or applies it if it differs from the desired one. @param mode - for claims, which are immutable. */
function ensure(children: readonly KubernetesObject[], desired: Desired, mode?: 'create only'): Action[] {
  const { name } = desired.metadata ?? {};
  const child = children.find(({ kind, metadata }) => kind === desired.kind && metadata?.name === name);
  if (child === undefined) return [{ type: 'create', object: desired }];
  if (isDeleting(child) || mode !== undefined || isUpToDate(child, desired)) return [];
  const uid = child.metadata?.uid;
  return [{ type: 'apply', object: { ...desired, metadata: { ...desired.metadata, ...(uid && { uid }) } } }];
}

function withTopology(action: Action, { topology }: JobContext): Action {
  return action.type === 'create' || action.type === 'apply' ? { ...action, ...(topology && { topology }) } : action;
}

/** Compares the stamp of the last write and, for Deployments, the replicas, which `kubectl scale` may have changed. */
function isUpToDate(child: KubernetesObject, desired: Desired): boolean {
  const stamp = ({ metadata }: KubernetesObject) => metadata?.annotations?.[appliedAnnotation];
  const replicas = (object: KubernetesObject) => (object as V1Deployment).spec?.replicas;
  return stamp(child) === stamp(desired) && (desired.kind !== 'Deployment' || replicas(child) === replicas(desired));
}

/** Starts the coordinator once the previous start has ended: two must never write to the same run directory. */
function startActions(
  { memory, attempts }: JobView,
  context: JobContext,
  { credentials, nowMs }: { readonly credentials: string; readonly nowMs: number },
): Action[] {
  const mayRun = attempts.some(({ end }) => end === undefined);
  if (mayRun || memory.ended < memory.attempt || nowMs < (timeMs(memory.startAfter) ?? 0)) return [];
  return [
    { type: 'secrets', credentials, hosts: certificateHosts(context.identity) },
    { type: 'create', object: coordinatorPod(context, memory.attempt + 1, credentials) },
  ];
}

/** Deletes pods of earlier starts once the current one runs. Until then, their logs may be useful. */
function supersededActions({ attempts, memory, pod }: JobView): Action[] {
  const isOld = ({ number }: { readonly number: number }) => number < memory.attempt;
  if (pod === undefined || (pod.status?.phase ?? 'Pending') === 'Pending') return [];
  return attempts.filter(isOld).flatMap((attempt) => remove(attempt.pod, 'superseded by a later start'));
}

/** Stops the coordinator, after a checkpoint if it can write one, and the workers. */
export function stopActions(
  observed: Observed,
  { pod, memory }: JobView,
  reason: string,
  checkpoint: boolean,
): Action[] {
  const canAnswer = pod?.status?.phase === 'Running' && memory.answered === memory.attempt && !isDeleting(pod);
  const name = pod?.metadata?.name ?? '';
  return [
    ...(checkpoint && canAnswer ? [{ type: 'checkpoint' as const, pod: name }] : []),
    ...(pod === undefined ? [] : remove(pod, reason)),
    ...stopWorkers(observed, reason),
  ];
}

function stopWorkers({ children }: Observed, reason: string): Action[] {
  return children.filter(({ kind }) => kind === 'Deployment').flatMap((deployment) => remove(deployment, reason));
}

/** Deletes an object unless it is already being deleted. */
export function remove(object: KubernetesObject, reason: string): Action[] {
  if (isDeleting(object)) return [];
  const { kind = '', metadata = {} } = object;
  return [{ type: 'delete', kind, name: metadata.name ?? '', uid: metadata.uid ?? '', reason }];
}

/** Deletes the job and, by garbage collection, all objects it owns. */
export function removeJob({ metadata }: TrainingJob, reason: string): Action {
  return { type: 'delete', kind: 'TrainingJob', name: metadata.name ?? '', uid: metadata.uid ?? '', reason };
}
