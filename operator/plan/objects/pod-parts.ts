import type {
  V1PodSecurityContext,
  V1ResourceRequirements,
  V1SecurityContext,
  V1Volume,
  V1VolumeMount,
} from '@kubernetes/client-node';
import type { OperatorFields } from '../../resource/operator-fields.js';
import type { Settings } from '../settings.js';

/** Parts shared by the pods of coordinator and workers. */

const userId = 10_001;

/** Conforms to the restricted Pod Security Standard. */
export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: userId,
  runAsGroup: userId,
  fsGroup: userId,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
} satisfies V1PodSecurityContext;

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} satisfies V1SecurityContext;

/** Readable only by owner and the pod's group. */
const secretMode = 0o440;

export function secretVolume(name: string, secretName: string): V1Volume {
  return { name, secret: { secretName, defaultMode: secretMode } };
}

const paths = { tls: '/etc/lockstep/tls', token: '/etc/lockstep/token' } as const;

/** Volumes for certificate, token, and temporary files: the root file system is read-only. */
export function credentialVolumes(names: { readonly tls: string; readonly token: string }): V1Volume[] {
  return [secretVolume('tls', names.tls), secretVolume('token', names.token), { name: 'tmp', emptyDir: {} }];
}

export const credentialMounts: readonly V1VolumeMount[] = [
  { name: 'tls', mountPath: paths.tls, readOnly: true },
  { name: 'token', mountPath: paths.token, readOnly: true },
  { name: 'tmp', mountPath: '/tmp' },
];

export const credentialArgs: readonly string[] = [
  ...['--tls-cert', `${paths.tls}/tls.crt`],
  ...['--tls-key', `${paths.tls}/tls.key`],
  ...['--tls-ca', `${paths.tls}/ca.crt`],
  ...['--token-file', `${paths.token}/token`],
];

type ResourceFields = NonNullable<OperatorFields['workers']['resources']>;

/** Resource requirements, with quantities as text, as the API server stores them. */
export function resourcesOf(
  given: ResourceFields | undefined,
  otherwise: V1ResourceRequirements,
): V1ResourceRequirements {
  if (given === undefined) return otherwise;
  const asText = (amounts: Readonly<Record<string, string | number>>) =>
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
  return {
    ...(given.requests === undefined ? {} : { requests: asText(given.requests) }),
    ...(given.limits === undefined ? {} : { limits: asText(given.limits) }),
  };
}

export function imageOf(fields: OperatorFields, settings: Settings): { image: string; imagePullPolicy?: string } {
  const imagePullPolicy = fields.imagePullPolicy ?? settings.imagePullPolicy;
  return { image: fields.image ?? settings.image, ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }) };
}

/** Placement and image pull secrets of a component's pods. */
export function placementOf(fields: OperatorFields, placement: OperatorFields['coordinator']): object {
  const { nodeSelector, tolerations } = placement ?? {};
  return {
    ...(fields.imagePullSecrets === undefined ? {} : { imagePullSecrets: fields.imagePullSecrets }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
  };
}
