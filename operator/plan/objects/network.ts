import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1Service } from '@kubernetes/client-node';
import type { JobContext } from '../job-context.js';
import { labelKeys, managedBy, namesOf, ports, selectorOf } from '../names.js';
import type { Desired } from '../types.js';
import { metaOf, stamped } from './meta.js';
import { nameServerPeers } from './name-servers.js';

/** Ports open to pods. The health port is for the kubelet, which network policies don't restrict. */
const served = ['grpc', 'http'] as const;

/** Stable address of the coordinator across its pods. */
export function coordinatorService({ identity }: JobContext): Desired {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(identity, namesOf(identity).coordinator, 'coordinator'),
    spec: {
      type: 'ClusterIP',
      selector: selectorOf(identity, 'coordinator'),
      ports: served.map((name) => ({ name, port: ports[name], targetPort: ports[name], protocol: 'TCP' })),
    },
  } satisfies V1Service;
  return stamped(service);
}

/** Network policies of a job. Policies are additive: to scrape metrics from another namespace, add your own. */
export function networkPolicies(context: JobContext): Desired[] {
  return [coordinatorPolicy(context), workerPolicy(context)];
}

/**
 * Cloud metadata services, which provide the node's credentials. IPv4: AWS, Google and others; Azure; Alibaba; Oracle.
 * IPv6: AWS; Google; Oracle; Scaleway; Akamai; Alibaba.
 */
const metadataServices = {
  v4: ['169.254.0.0/16', '168.63.129.16/32', '100.100.100.200/32', '192.0.0.192/32'],
  v6: [
    'fd00:ec2::/32',
    'fd20:ce::254/128',
    'fd00:c1::a9fe:a9fe/128',
    'fd00:42::42/128',
    'fd00:a9fe:a9fe::1/128',
    'fd00:100::100:200/128',
  ],
};
const outside: readonly V1NetworkPolicyPeer[] = [
  { ipBlock: { cidr: '0.0.0.0/0', except: metadataServices.v4 } },
  { ipBlock: { cidr: '::/0', except: metadataServices.v6 } },
  // Network plug-ins differ in whether an ipBlock includes pod addresses.
  { namespaceSelector: {} },
];
const dnsPorts = ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 }));

/**
 * Ingress: workers and operator to gRPC, pods of the namespace to page and metrics. Egress: everything except metadata
 * services, because datasets and NATS may be anywhere.
 */
function coordinatorPolicy({ identity, settings }: JobContext): Desired {
  const workers: V1NetworkPolicyPeer = { podSelector: { matchLabels: selectorOf(identity, 'worker') } };
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metaOf(identity, namesOf(identity).coordinator, 'coordinator'),
    spec: {
      podSelector: { matchLabels: selectorOf(identity, 'coordinator') },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          _from: [workers, ...operatorPeer(settings.operatorNamespace)],
          ports: [{ protocol: 'TCP', port: ports.grpc }],
        },
        { _from: [{ podSelector: {} }], ports: [{ protocol: 'TCP', port: ports.http }] },
      ],
      egress: [{ to: [...outside] }, { to: nameServerPeers(settings.nameServers), ports: dnsPorts }],
    },
  } satisfies V1NetworkPolicy;
  return stamped(withApiNames(policy));
}

/** Ingress to workers: none. Egress: only the coordinator and the cluster's name servers. */
function workerPolicy({ identity, settings }: JobContext): Desired {
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metaOf(identity, namesOf(identity).worker, 'worker'),
    spec: {
      podSelector: { matchLabels: selectorOf(identity, 'worker') },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [
        {
          to: [{ podSelector: { matchLabels: selectorOf(identity, 'coordinator') } }],
          ports: [{ protocol: 'TCP', port: ports.grpc }],
        },
        { to: nameServerPeers(settings.nameServers), ports: dnsPorts },
      ],
    },
  } satisfies V1NetworkPolicy;
  return stamped(policy);
}

function operatorPeer(namespace: string | undefined): V1NetworkPolicyPeer[] {
  if (namespace === undefined) return [];
  return [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      podSelector: { matchLabels: { [labelKeys.name]: managedBy } },
    },
  ];
}

/** Renames `_from`, as the client's types call it, to the API's `from`. */
function withApiNames(policy: V1NetworkPolicy & Desired): Desired {
  const ingress = policy.spec?.ingress?.map(({ _from, ...rule }) => ({ from: _from, ...rule }));
  const spec = { ...policy.spec, ingress };
  return { ...policy, spec } as Desired;
}
