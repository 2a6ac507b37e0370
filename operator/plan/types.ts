import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import type { TrainingJobStatus } from '../resource/status.js';
import type { TrainingJob } from '../resource/training-job.js';
import type { CoordinatorStatus } from './coordinator-status.js';
import type { ReadJob, TopologyFile } from './job-context.js';

/** The coordinator's last answer. */
export interface Answer {
  /** Pod that was called. Answers of pods other than the newest coordinator's are ignored. */
  readonly pod: string;
  /** Last status; kept if a later call fails. */
  readonly status?: CoordinatorStatus | undefined;
  /** Receive time of `status`, milliseconds since 1970. */
  readonly statusMs?: number | undefined;
  /** Error of the last call; absent if it succeeded. */
  readonly error?: string | undefined;
  /** True if the call failed because one side rejected the other's certificate or token. */
  readonly untrusted?: boolean | undefined;
}

/** A name that a `create` found in use by an object of another owner. */
export interface TakenName {
  readonly kind: string;
  readonly name: string;
}

/** Input of a plan, except for the time. */
export interface Observed {
  readonly job: TrainingJob;
  /** Parses the job's spec; results are cached. */
  readonly read: (job: TrainingJob) => ReadJob;
  /** Id of the operator's key, from which job credentials are derived. */
  readonly keyId: string;
  /**
   * Objects whose controller is the job, by UID: pods, Deployment, Service, ConfigMap, PDBs, NetworkPolicies, PVC. Not
   * Secrets, which the operator doesn't watch. `kind` is set.
   */
  readonly children: readonly KubernetesObject[];
  /** Pods of the worker Deployment, by the label `lockstep.dev/job-uid`: their owner is its ReplicaSet. */
  readonly workerPods: readonly V1Pod[];
  readonly control?: Answer | undefined;
  /** Names that a `create` in the last 10 s found in use. */
  readonly taken?: readonly TakenName[] | undefined;
}

export interface ObjectName {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** An object to write, in the job's namespace. */
export type Desired = KubernetesObject & { readonly apiVersion: string; readonly kind: string };

export type Action =
  /** Creates a child. A name in use by another owner is reported in `Observed.taken`; nothing is overwritten. */
  | { readonly type: 'create'; readonly object: Desired; readonly topology?: TopologyFile | undefined }
  /** Server-side apply to the child with the UID in the object's metadata; conflicts if it was replaced. */
  | { readonly type: 'apply'; readonly object: Desired; readonly topology?: TopologyFile | undefined }
  /** Deletes the object with this UID; succeeds if it no longer exists. */
  | ({ readonly type: 'delete'; readonly reason: string } & ObjectName)
  /** Creates the missing Secrets (`secretObjects`), with certificates for `hosts`. */
  | { readonly type: 'secrets'; readonly credentials: string; readonly hosts: readonly string[] }
  /** Requests a checkpoint from the coordinator in `pod`. Later actions wait up to 8 s, whatever the result. */
  | { readonly type: 'checkpoint'; readonly pod: string }
  | { readonly type: 'event'; readonly reason: string; readonly message: string; readonly warning: boolean };

/**
 * The actions for a job and its new status.
 *
 * The reconciler writes `status` if it has changed, then executes the actions in order. It stops at the first failure,
 * except for checkpoints and events. The status comes first because the next plan relies on it, and because a conflict
 * shows that this plan is stale and must not be executed. If the API server rejects the status, only actions that end
 * something (`isEnding`) are executed. The others wait until a status is accepted.
 */
export interface Plan {
  readonly actions: readonly Action[];
  readonly status: TrainingJobStatus;
  /** Time until the next plan if nothing changes. Any change of the job, its objects or the answer triggers a plan. */
  readonly againMs?: number | undefined;
  /** Coordinator to follow; undefined: none. */
  readonly ask?: { readonly pod: string; readonly address: string; readonly serverName: string } | undefined;
}

/** True for actions that only stop or save something, which are safe without a written status. */
export function isEnding({ type }: Action): boolean {
  return type === 'delete' || type === 'checkpoint';
}
