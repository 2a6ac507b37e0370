import type { V1PersistentVolumeClaim, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { VolumeField } from '../../resource/operator-fields.js';
import type { JobContext } from '../job-context.js';
import { namesOf } from '../names.js';
import type { Desired } from '../types.js';
import { metaOf, stamped } from './meta.js';

/** The coordinator's home, with the run directory `run` and the dataset cache `data`. */
export const home = '/var/lib/lockstep';
const defaultSize = '2Gi';

/** Claims to create for a job: those without an existing claim or emptyDir. */
export function storageClaims({ identity, fields }: JobContext): Desired[] {
  const { run, data } = fields.storage;
  const names = namesOf(identity);
  const make = (name: string, { size, storageClassName }: VolumeField) => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: metaOf(identity, name, 'coordinator'),
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: String(size ?? defaultSize) } },
        ...(storageClassName === undefined ? {} : { storageClassName }),
      },
    } satisfies V1PersistentVolumeClaim;
    return stamped(claim);
  };
  return [
    ...(isOwn(run ?? {}) ? [make(names.run, run ?? {})] : []),
    ...(data !== undefined && isOwn(data) ? [make(names.data, data)] : []),
  ];
}

/** Volumes of the coordinator's pod. Without a separate volume, the dataset is stored in the run's. */
export function storageVolumes({ identity, fields }: JobContext): { volumes: V1Volume[]; mounts: V1VolumeMount[] } {
  const { run = {}, data } = fields.storage;
  const names = namesOf(identity);
  const subPath = run.existingClaim === undefined ? {} : { subPath: run.path ?? identity.name };
  return {
    volumes: [volumeOf('run', names.run, run), ...(data === undefined ? [] : [volumeOf('data', names.data, data)])],
    mounts: [
      { name: 'run', mountPath: home, ...subPath },
      ...(data === undefined ? [] : [{ name: 'data', mountPath: `${home}/data` }]),
    ],
  };
}

/** Human-readable location of the report. */
export function reportPlace({ identity, fields }: JobContext): string {
  const { run = {} } = fields.storage;
  if (run.emptyDir !== undefined) return `run/report/index.html in the coordinator's pod, until it is deleted`;
  const folder = run.existingClaim === undefined ? '' : `${run.path ?? identity.name}/`;
  return `${folder}run/report/index.html in claim ${run.existingClaim ?? namesOf(identity).run}`;
}

function isOwn({ emptyDir, existingClaim }: VolumeField): boolean {
  return emptyDir === undefined && existingClaim === undefined;
}

function volumeOf(name: string, ownClaim: string, { emptyDir, existingClaim }: VolumeField): V1Volume {
  if (emptyDir === undefined) return { name, persistentVolumeClaim: { claimName: existingClaim ?? ownClaim } };
  const { sizeLimit } = emptyDir;
  return { name, emptyDir: sizeLimit === undefined ? {} : { sizeLimit: String(sizeLimit) } };
}
