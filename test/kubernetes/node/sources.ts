import type { V1Pod } from '@kubernetes/client-node';
import { type ApiClient, unlessAbsent } from '../api-client.js';
import type { Claims } from './claims.js';
import type { VolumeSources } from './volumes.js';

/** Contents of a pod's volumes and variables, read from the API server on demand. */
export function sourcesOf(client: ApiClient, pod: V1Pod, podIp: string, claims: Claims): VolumeSources {
  const { namespace = 'default', name: podName = '', uid = '' } = pod.metadata!;
  return {
    podIp,
    hostIp: '127.0.0.1',
    configMap: async (name) => {
      const found = await unlessAbsent(client.core.readNamespacedConfigMap({ namespace, name }));
      return found && { ...mapValues(found.data, utf8Bytes), ...mapValues(found.binaryData, decode) };
    },
    secret: async (name) => {
      const found = await unlessAbsent(client.core.readNamespacedSecret({ namespace, name }));
      return found && mapValues(found.data, decode);
    },
    claim: (name) => claims.folderOf(namespace, name),
    token: async (audience, expirationSeconds = 3_600) => {
      const account = pod.spec?.serviceAccountName ?? 'default';
      const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: podName, uid };
      const spec = { audiences: audience === undefined ? [] : [audience], expirationSeconds, boundObjectRef };
      const body = { spec };
      const asked = client.core.createNamespacedServiceAccountToken({ namespace, name: account, body });
      return (await asked).status!.token;
    },
  };
}

/** Bytes, one per character, as written to files. */
function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1');
}

function utf8Bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function mapValues(record: Record<string, string> | undefined, change: (value: string) => string) {
  return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [name, change(value)]));
}
