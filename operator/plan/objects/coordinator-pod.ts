import type { V1Container, V1Pod } from '@kubernetes/client-node';
import type { NatsCredentials } from '../../resource/operator-fields.js';
import type { JobContext } from '../job-context.js';
import { coordinatorPodName, labelKeys, namesOf, natsJobName, ports, secretNamesOf } from '../names.js';
import type { Desired } from '../types.js';
import { metaOf } from './meta.js';
import * as parts from './pod-parts.js';
import { home, storageVolumes } from './storage.js';

const jobFolder = '/etc/lockstep/job';
const natsFolder = '/etc/lockstep/nats';
const natsCaFolder = '/etc/lockstep/nats-ca';
/** File for the run's result. The kubelet copies it into the pod's status, where `attempts.ts` reads it. */
const terminationLog = '/dev/termination-log';
/** Time for the current step, a checkpoint and the report. */
const graceSeconds = 60;
/** 23 days: longer than workers wait for free nodes, shorter than a timer's maximum. */
const waitSeconds = 2_000_000;

/**
 * Pod of one start of the coordinator. It is never restarted in place: the operator creates the next pod, so it can
 * distinguish failures from lost nodes. All starts share the run directory.
 * @param credentials - identifies the Secrets to mount.
 */
export function coordinatorPod(context: JobContext, attempt: number, credentials: string): Desired {
  const { identity, fields } = context;
  const { coordinatorTls, token } = secretNamesOf(identity, credentials);
  const meta = metaOf(identity, coordinatorPodName(identity, attempt), 'coordinator');
  const storage = storageVolumes(context);
  const labels = { [labelKeys.attempt]: String(attempt), [labelKeys.credentials]: credentials };
  const { credentials: natsCredentials, ca } = fields.nats ?? {};
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...meta, labels: { ...meta.labels, ...labels } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: graceSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: parts.podSecurity,
      ...parts.placementOf(fields, fields.coordinator),
      containers: [container(context, storage.mounts)],
      volumes: [
        ...storage.volumes,
        { name: 'job', configMap: { name: namesOf(identity).config } },
        ...parts.credentialVolumes({ tls: coordinatorTls, token }),
        ...(natsCredentials ? [parts.secretVolume('nats', natsCredentials.secretName)] : []),
        ...(ca ? [parts.secretVolume('nats-ca', ca.secretName)] : []),
      ],
    },
  } satisfies V1Pod;
  return pod;
}

function container(context: JobContext, storageMounts: NonNullable<V1Container['volumeMounts']>): V1Container {
  const { fields, settings } = context;
  return {
    name: 'coordinator',
    ...parts.imageOf(fields, settings),
    workingDir: home,
    args: coordinatorArgs(context),
    env: [
      { name: 'HOME', value: '/tmp' },
      { name: 'XDG_CACHE_HOME', value: `${home}/data` },
    ],
    ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
    resources: parts.resourcesOf(fields.coordinator?.resources, { requests: { cpu: '500m', memory: '512Mi' } }),
    ...probes,
    securityContext: parts.containerSecurity,
    terminationMessagePath: terminationLog,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      ...storageMounts,
      { name: 'job', mountPath: jobFolder, readOnly: true },
      ...parts.credentialMounts,
      ...(fields.nats?.credentials ? [{ name: 'nats', mountPath: natsFolder, readOnly: true }] : []),
      ...(fields.nats?.ca ? [{ name: 'nats-ca', mountPath: natsCaFolder, readOnly: true }] : []),
    ],
  };
}

function coordinatorArgs(context: JobContext): string[] {
  const { workers } = context.fields;
  return [
    ...['coordinator', `${jobFolder}/job.yaml`],
    ...['--run', `${home}/run`],
    // All addresses of the pod, because `kubectl port-forward` connects over loopback.
    ...['--listen', `0.0.0.0:${ports.grpc}`],
    ...['--http', `0.0.0.0:${ports.http}`],
    ...['--health', `0.0.0.0:${ports.health}`],
    ...parts.credentialArgs,
    ...['--min-workers', String(Math.max(1, Math.min(workers.min, workers.replicas)))],
    ...['--wait', String(waitSeconds)],
    ...['--result', terminationLog],
    ...natsArgs(context),
  ];
}

/** The job's name in NATS is unique, so data under it without the job's signature is damaged and must not block a start. */
function natsArgs({ identity, fields: { nats } }: JobContext): string[] {
  if (nats === undefined) return [];
  return [
    ...['--nats', nats.url, '--nats-job', natsJobName(identity), '--nats-start-over'],
    ...(nats.credentials === undefined ? [] : signInArgs(nats.credentials)),
    ...(nats.ca === undefined ? [] : ['--nats-ca', `${natsCaFolder}/${nats.ca.key}`]),
    ...(nats.insecure ? ['--insecure'] : []),
  ];
}

function signInArgs({ key, type, user }: NatsCredentials): string[] {
  const file = `${natsFolder}/${key}`;
  if (type === 'creds') return ['--nats-creds', file];
  if (type === 'token') return ['--nats-token-file', file];
  return ['--nats-user', user ?? '', '--nats-password-file', file];
}

const health = { httpGet: { path: '/healthz', port: ports.health, scheme: 'HTTP' }, timeoutSeconds: 3 };

/** The port responds as soon as the process has loaded. A coordinator that is unresponsive for a minute afterwards hangs. */
const probes = {
  startupProbe: { ...health, periodSeconds: 1, failureThreshold: 3600 },
  readinessProbe: { ...health, periodSeconds: 5, failureThreshold: 2 },
  livenessProbe: { ...health, periodSeconds: 10, failureThreshold: 6 },
} satisfies Partial<V1Container>;
