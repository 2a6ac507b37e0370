import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1Service } from '@kubernetes/client-node';
import type { JobContext } from '../job-context.js';
import { labelKeys, managedBy, namesOf, ports, selectorOf } from '../names.js';
import type { Desired } from '../types.js';
import { metaOf, stamped } from './meta.js';

/** The address that stays while the coordinator's pods come and go; pods that have ended are no endpoints. */
export function coordinatorService({ identity }: JobContext): Desired {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(identity, namesOf(identity).coordinator, 'coordinator'),
    spec: {
      type: 'ClusterIP',
      selector: selectorOf(identity, 'coordinator'),
      ports: Object.entries(ports).map(([name, port]) => ({ name, port, targetPort: port, protocol: 'TCP' })),
    },
  } satisfies V1Service;
  return stamped(service);
}

/** Who may talk to whom. Policies add up: whoever wants metrics from another namespace adds one of their own. */
export function networkPolicies(context: JobContext): Desired[] {
  return [coordinatorPolicy(context), workerPolicy(context)];
}

/** Workers and operator reach gRPC; pods of the namespace the page and metrics. It may go out, for data and NATS. */
function coordinatorPolicy({ identity, settings }: JobContext): Desired {
  const workers: V1NetworkPolicyPeer = { podSelector: { matchLabels: selectorOf(identity, 'worker') } };
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metaOf(identity, namesOf(identity).coordinator, 'coordinator'),
    spec: {
      podSelector: { matchLabels: selectorOf(identity, 'coordinator') },
      policyTypes: ['Ingress'],
      ingress: [
        {
          _from: [workers, ...operatorPeer(settings.operatorNamespace)],
          ports: [{ protocol: 'TCP', port: ports.grpc }],
        },
        { _from: [{ podSelector: {} }], ports: [{ protocol: 'TCP', port: ports.http }] },
      ],
    },
  } satisfies V1NetworkPolicy;
  return stamped(asWritten(policy));
}

/** Nobody reaches a worker; it reaches the coordinator and name servers, and needs nothing else. */
function workerPolicy({ identity }: JobContext): Desired {
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
        { ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })) },
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

/** The client's types say `_from`, as `from` is a word of TypeScript; objects are written as the API names them. */
function asWritten(policy: V1NetworkPolicy & Desired): Desired {
  const ingress = policy.spec?.ingress?.map(({ _from, ...rule }) => ({ from: _from, ...rule }));
  const spec = { ...policy.spec, ingress };
  return { ...policy, spec } as Desired;
}
