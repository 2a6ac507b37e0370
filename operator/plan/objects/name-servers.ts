import { isIP } from 'node:net';
import type { V1NetworkPolicyPeer } from '@kubernetes/client-node';
import type { NameServer } from '../settings.js';

/** CoreDNS or kube-dns as installed by kubeadm, kind, minikube, GKE, EKS and AKS. */
const clusterDns: readonly NameServer[] = [{ namespace: 'kube-system', label: 'k8s-app', value: 'kube-dns' }];

const podsPattern = /^([a-z0-9][-a-z0-9]*)\/([A-Za-z0-9][-A-Za-z0-9_./]*)=([A-Za-z0-9][-A-Za-z0-9_.]*)$/;
const cidrPattern = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/;

/**
 * Parses a list such as `kube-system/k8s-app=kube-dns,169.254.20.10/32`.
 * @throws Error that names the invalid entry.
 */
export function parseNameServers(text: string): NameServer[] {
  return text.split(',').map((entry) => {
    const [, namespace, label, value] = podsPattern.exec(entry) ?? [];
    if (namespace !== undefined && label !== undefined && value !== undefined) return { namespace, label, value };
    const [, address = '', bits] = cidrPattern.exec(entry) ?? [];
    const family = isIP(address);
    if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) {
      throw new Error(`expected NAMESPACE/LABEL=VALUE or an address such as 10.0.0.10/32, got "${entry}"`);
    }
    return { cidr: entry };
  });
}

/** Converts name servers to peers of a NetworkPolicy. */
export function nameServerPeers(servers: readonly NameServer[] = clusterDns): V1NetworkPolicyPeer[] {
  return servers.map((server) =>
    'cidr' in server
      ? { ipBlock: { cidr: server.cidr } }
      : {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': server.namespace } },
          podSelector: { matchLabels: { [server.label]: server.value } },
        },
  );
}
