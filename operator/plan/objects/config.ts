import { posix } from 'node:path';
import type { V1ConfigMap, V1Secret } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import type { JobSpec } from '../../../job/spec.js';
import type { JobContext } from '../job-context.js';
import { type JobIdentity, namesOf, secretNamesOf } from '../names.js';
import type { Desired } from '../types.js';
import { metaOf, stamped } from './meta.js';
import { home } from './storage.js';

/**
 * ConfigMap with the job spec for the coordinator, including all defaults of the operator's version. A relative
 * `data.path` is resolved against the coordinator's home, where its volumes are mounted. A topology is a separate file,
 * named by the spec's model; until it is written, its digest takes its place.
 */
export function jobConfig({ identity, spec, topology }: JobContext): Desired {
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metaOf(identity, namesOf(identity).config, 'coordinator'),
    data: {
      'job.yaml': stringify(withDataPath(spec)),
      ...(topology && { [topology.file]: `sha256:${topology.sha256}` }),
    },
  } satisfies V1ConfigMap;
  return stamped(config);
}

function withDataPath(spec: JobSpec): JobSpec {
  const { path } = spec.data;
  return path === undefined ? spec : { ...spec, data: { ...spec.data, path: posix.resolve(home, path) } };
}

/** Certificates of a job, PEM. */
export interface JobCertificates {
  readonly ca: string;
  readonly coordinator: { readonly cert: string; readonly key: string };
  readonly worker: { readonly cert: string; readonly key: string };
}

/** Secrets created by the action `secrets`. */
export function secretObjects(
  job: JobIdentity,
  credentials: string,
  certificates: JobCertificates,
  token: string,
): (V1Secret & Desired)[] {
  const names = secretNamesOf(job, credentials);
  const tls = (name: string, { cert, key }: { readonly cert: string; readonly key: string }) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: metaOf(job, name),
    immutable: true,
    data: { 'tls.crt': base64(cert), 'tls.key': base64(key), 'ca.crt': base64(certificates.ca) },
  });
  return [
    tls(names.coordinatorTls, certificates.coordinator),
    tls(names.workerTls, certificates.worker),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: metaOf(job, names.token),
      immutable: true,
      data: { token: base64(token) },
    },
  ];
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
