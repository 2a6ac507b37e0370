import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import type { TrainingJobStatus } from '../resource/status.js';
import type { TrainingJob } from '../resource/training-job.js';
import type { CoordinatorStatus } from './coordinator-status.js';
import type { ReadJob, TopologyFile } from './job-context.js';

/** The coordinator's last answer. */
export interface Answer {
  /** Pod that was asked; answers of another pod than the newest coordinator's are passed over. */
  readonly pod: string;
  /** Its last status; kept when a later call fails. */
  readonly status?: CoordinatorStatus | undefined;
  /** When `status` was received, milliseconds since 1970. */
  readonly statusMs?: number | undefined;
  /** Why the newest call failed; absent when it succeeded. */
  readonly error?: string | undefined;
  /** Whether it failed because one side rejected the other's certificate or token. */
  readonly untrusted?: boolean | undefined;
}

/** A name that a `create` found taken by an object of somebody else. */
export interface TakenName {
  readonly kind: string;
  readonly name: string;
}

/** Everything that a plan depends on, besides the time. */
export interface Observed {
  readonly job: TrainingJob;
  /** Parses the job's spec; the shell caches the result. */
  readonly read: (job: TrainingJob) => ReadJob;
  /** Id of the operator's key, from which job credentials are derived. */
  readonly keyId: string;
  /**
   * Objects whose controller is the job, recognised by its UID: pods, Deployment, Service, ConfigMap, PDBs,
   * NetworkPolicies, PVC. Secrets are left out: the operator does not watch them. `kind` is set on each.
   */
  readonly children: readonly KubernetesObject[];
  /** Pods of the worker Deployment, by the label `lockstep.dev/job-uid`: their owner is its ReplicaSet. Only read. */
  readonly workerPods: readonly V1Pod[];
  readonly control?: Answer | undefined;
  /** Names that a `create` of the last 10 s found taken. */
  readonly taken?: readonly TakenName[] | undefined;
  /** Why the newest attempt to carry out a plan failed, in words for the user; absent when it succeeded. */
  readonly trouble?: string | undefined;
}

export interface ObjectName {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** An object to be written. Its `kind` and `apiVersion` are set, its namespace is the job's. */
export type Desired = KubernetesObject & { readonly apiVersion: string; readonly kind: string };

export type Action =
  /** The job has no such child. When the name is taken by another owner's object: `Observed.taken`, no overwriting. */
  | { readonly type: 'create'; readonly object: Desired; readonly topology?: TopologyFile | undefined }
  /** Server-side apply over the child of this UID, which is named in the object's metadata: another one conflicts. */
  | { readonly type: 'apply'; readonly object: Desired; readonly topology?: TopologyFile | undefined }
  /** With the UID as precondition; one that is gone already is fine. */
  | ({ readonly type: 'delete'; readonly reason: string } & ObjectName)
  /** Creates missing ones of the three Secrets, for the DNS names and addresses `hosts` (`secretObjects`). */
  | { readonly type: 'secrets'; readonly credentials: string; readonly hosts: readonly string[] }
  /** Requests a checkpoint from the coordinator in `pod`. Later actions wait up to 8 s, whatever the result. */
  | { readonly type: 'checkpoint'; readonly pod: string }
  | { readonly type: 'event'; readonly reason: string; readonly message: string; readonly warning: boolean };

/**
 * The actions for a job and its new status.
 *
 * The shell first writes `status` if it differs from the job's, then executes the actions in order and stops at the
 * first that fails, except for checkpoints and events. The status comes first because the next plan relies on it, and
 * because a conflict shows that this plan is stale: nothing is done then. If the API server rejects the status, actions
 * that only end something (`isEnding`) are still executed. The others wait until a status is accepted.
 */
export interface Plan {
  readonly actions: readonly Action[];
  readonly status: TrainingJobStatus;
  /** Plan again after so long even if nothing changes; at once when an object, the job or the answer changes. */
  readonly againMs?: number | undefined;
  /** Whether the coordinator is to be asked for its status, and where. */
  readonly ask?: { readonly pod: string; readonly address: string; readonly serverName: string } | undefined;
}

/** Whether an action only ends or saves something, so that it is safe without its status. */
export function isEnding({ type }: Action): boolean {
  return type === 'delete' || type === 'checkpoint';
}
