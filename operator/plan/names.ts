import type { TrainingJob } from '../resource/training-job.js';

/** Names and labels of what a job is made of. */

export type Component = 'coordinator' | 'worker';

export const managedBy = 'lockstep-operator';
/** Ports of a coordinator. `health` is for the kubelet only: it is in no Service, and closed to pods. */
export const ports = { grpc: 50061, http: 8061, health: 8062 } as const;

export const labelKeys = {
  name: 'app.kubernetes.io/name',
  component: 'app.kubernetes.io/component',
  managedBy: 'app.kubernetes.io/managed-by',
  job: 'lockstep.dev/job',
  /** In selectors, as the job of a name may be deleted and made again while pods of the former still end. */
  jobUid: 'lockstep.dev/job-uid',
  attempt: 'lockstep.dev/attempt',
  /** Identifies the Secrets that a coordinator's pod was started with; see `credentials.ts`. */
  credentials: 'lockstep.dev/credentials',
} as const;

/** Digest of the object as it was last written, so that equal ones are not written again. */
export const appliedAnnotation = 'lockstep.dev/applied';

export interface JobIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

export function identityOf({ metadata }: TrainingJob): JobIdentity {
  return { name: metadata.name ?? '', namespace: metadata.namespace ?? 'default', uid: metadata.uid ?? '' };
}

export const namesOf = ({ name }: JobIdentity) => ({
  coordinator: `${name}-coordinator`,
  worker: `${name}-worker`,
  config: `${name}-job`,
  run: `${name}-run`,
  data: `${name}-data`,
});

/** @param credentials - undefined: names from operators before 0.5.5. */
export function secretNamesOf({ name }: JobIdentity, credentials: string | undefined) {
  const end = credentials === undefined ? '' : `-${credentials}`;
  return {
    coordinatorTls: `${name}-coordinator-tls${end}`,
    workerTls: `${name}-worker-tls${end}`,
    token: `${name}-token${end}`,
  };
}

/**
 * The job's name in NATS, where one registry serves all namespaces. Kubernetes' names have no underscore, and a job
 * created again under an old name has a new UID, so names are unique.
 */
export function natsJobName({ namespace, name, uid }: JobIdentity): string {
  return `${namespace}_${name}_${uid}`;
}

export function coordinatorPodName(job: JobIdentity, attempt: number): string {
  return `${namesOf(job).coordinator}-${attempt}`;
}

/** Labels of an object; without a component those that all of a job's objects share. */
export function labelsOf(job: JobIdentity, component?: Component): Record<string, string> {
  return {
    [labelKeys.name]: 'lockstep',
    [labelKeys.managedBy]: managedBy,
    [labelKeys.job]: job.name,
    [labelKeys.jobUid]: job.uid,
    ...(component === undefined ? {} : { [labelKeys.component]: component }),
  };
}

/** The labels by which a component's pods are found. */
export function selectorOf(job: JobIdentity, component: Component): Record<string, string> {
  return { [labelKeys.jobUid]: job.uid, [labelKeys.component]: component };
}

export function selectorText(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Names and addresses that the coordinator's certificate is for; the last two for `kubectl port-forward`. */
export function certificateHosts(job: JobIdentity): string[] {
  const service = namesOf(job).coordinator;
  const inNamespace = `${service}.${job.namespace}`;
  return [service, inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.cluster.local`, 'localhost', '127.0.0.1'];
}
