import type { TrainingJob } from '../resource/training-job.js';

/** Names and labels of a job's objects. */

export type Component = 'coordinator' | 'worker';

export const managedBy = 'lockstep-operator';
/** Ports of a coordinator. `health` is for the kubelet only: no Service has it, and pods can't reach it. */
export const ports = { grpc: 50061, http: 8061, health: 8062 } as const;

export const labelKeys = {
  name: 'app.kubernetes.io/name',
  component: 'app.kubernetes.io/component',
  managedBy: 'app.kubernetes.io/managed-by',
  job: 'lockstep.dev/job',
  /** Used in selectors: a job may be deleted and recreated under its name while old pods are still terminating. */
  jobUid: 'lockstep.dev/job-uid',
  attempt: 'lockstep.dev/attempt',
  /** Identifies the Secrets of a coordinator's pod; see `credentials.ts`. */
  credentials: 'lockstep.dev/credentials',
} as const;

/** Annotation with the digest of an object as last written, so unchanged objects aren't written again. */
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

/** Names of a job's Secrets. @param credentials - undefined: as created by operators before 0.5.5. */
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

/** Labels of an object; without a component, those shared by all of a job's objects. */
export function labelsOf(job: JobIdentity, component?: Component): Record<string, string> {
  return {
    [labelKeys.name]: 'lockstep',
    [labelKeys.managedBy]: managedBy,
    [labelKeys.job]: job.name,
    [labelKeys.jobUid]: job.uid,
    ...(component === undefined ? {} : { [labelKeys.component]: component }),
  };
}

/** Selector of a component's pods. */
export function selectorOf(job: JobIdentity, component: Component): Record<string, string> {
  return { [labelKeys.jobUid]: job.uid, [labelKeys.component]: component };
}

export function selectorText(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Names and addresses in the coordinator's certificate; the last two are for `kubectl port-forward`. */
export function certificateHosts(job: JobIdentity): string[] {
  const service = namesOf(job).coordinator;
  const inNamespace = `${service}.${job.namespace}`;
  return [service, inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.cluster.local`, 'localhost', '127.0.0.1'];
}
