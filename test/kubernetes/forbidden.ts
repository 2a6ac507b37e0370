import type { KubernetesObject } from '@kubernetes/client-node';

/** Changes to an operator's objects that its account may not make. */

type Fields = Record<string, unknown>;
/** Changes a copy of an object. */
export type Change = (object: Fields) => void;

/** The object at `path`, created if absent. */
export function at(object: unknown, ...path: (string | number)[]): Fields {
  return path.reduce<Fields>((section, key) => (section[key] ??= {}) as Fields, object as Fields);
}
export function changed(object: KubernetesObject, change: Change): KubernetesObject {
  const copy = structuredClone(object);
  change(copy as Fields);
  return copy;
}
export const set =
  (fields: object, ...path: (string | number)[]): Change =>
  (object) =>
    void Object.assign(at(object, ...path), fields);
const add =
  (element: object, ...path: string[]): Change =>
  (object) => {
    const section = at(object, ...path.slice(0, -1));
    section[path.at(-1)!] = [...((section[path.at(-1)!] ?? []) as object[]), element];
  };

export const wrongMeta: readonly (readonly [string, Change])[] = [
  ['no label of the operator', set({ labels: {} }, 'metadata')],
  ['the label of another operator', set({ 'app.kubernetes.io/managed-by': 'helm' }, 'metadata', 'labels')],
  ['no owner', set({ ownerReferences: undefined }, 'metadata')],
  ['an owner of another kind', set({ kind: 'Deployment', apiVersion: 'apps/v1' }, 'metadata', 'ownerReferences', 0)],
  ['an owner that is not the job of its label', set({ uid: 'x' }, 'metadata', 'ownerReferences', 0)],
  ['an owner that does not control it', set({ controller: false }, 'metadata', 'ownerReferences', 0)],
  ['an owner of a version that nobody knows', set({ apiVersion: 'lockstep.dev/v9' }, 'metadata', 'ownerReferences', 0)],
  ['the name of another', set({ name: 'database' }, 'metadata')],
  ["a namespace of the cluster's own", set({ namespace: 'kube-system' }, 'metadata')],
];

/** Of a pod's metadata: labels or annotations. */
export const wrongPodMeta: readonly (readonly [string, Change])[] = [
  ['a label of others', set({ app: 'database' }, 'labels')],
  ['the name of others', set({ 'app.kubernetes.io/name': 'database' }, 'labels')],
  ['an injector', set({ 'vault.hashicorp.com/agent-inject': 'true' }, 'annotations')],
  ['another network', set({ 'k8s.v1.cni.cncf.io/networks': 'storage' }, 'annotations')],
];

/** Of a pod's spec. */
export const wrongPods: readonly (readonly [string, Change])[] = [
  ...['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'].map((key) => [key, set({ [key]: true })] as const),
  ['a node', set({ nodeName: 'control-plane' })],
  ['host aliases', add({ ip: '1.2.3.4', hostnames: ['registry'] }, 'hostAliases')],
  ['system priority', set({ priorityClassName: 'system-node-critical' })],
  ['another service account', set({ serviceAccountName: 'powerful' })],
  ['another service account, by the old name of the field', set({ serviceAccount: 'powerful' })],
  ['a token', set({ automountServiceAccountToken: true })],
  ['root', set({ runAsUser: 0 }, 'securityContext')],
  ['perhaps root', set({ runAsNonRoot: false }, 'securityContext')],
  ['any system call', set({ seccompProfile: { type: 'Unconfined' } }, 'securityContext')],
  ['sysctls', set({ sysctls: [{ name: 'kernel.shm_rmid_forced', value: '0' }] }, 'securityContext')],
  ['another container', add({ name: 'side', image: 'i' }, 'containers')],
  ['an init container', add({ name: 'init', image: 'i' }, 'initContainers')],
  ...[
    { privileged: true, allowPrivilegeEscalation: true },
    { allowPrivilegeEscalation: true },
    { readOnlyRootFilesystem: false },
    { capabilities: { drop: ['NET_RAW'] } },
    { capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } },
    { runAsUser: 0 },
    { runAsNonRoot: false },
    { seccompProfile: { type: 'Unconfined' } },
  ].map((fields) => [JSON.stringify(fields), set(fields, 'containers', 0, 'securityContext')] as const),
  [
    'all of /proc',
    (object) => {
      set({ hostUsers: false })(object);
      set({ procMount: 'Unmasked' }, 'containers', 0, 'securityContext')(object);
    },
  ],
  ['a port of its node', set({ ports: [{ containerPort: 50061, hostPort: 50061 }] }, 'containers', 0)],
  ['a hook', set({ lifecycle: { preStop: { exec: { command: ['sh'] } } } }, 'containers', 0)],
  [
    'a probe of another address',
    set({ livenessProbe: { httpGet: { host: '169.254.169.254', port: 80, path: '/latest' } } }, 'containers', 0),
  ],
  ['a probe of its node', set({ startupProbe: { tcpSocket: { host: '127.0.0.1', port: 10250 } } }, 'containers', 0)],
  ['all of a Secret', set({ envFrom: [{ secretRef: { name: 'database' } }] }, 'containers', 0)],
  [
    'a value of a Secret',
    set({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'database', key: 'k' } } }] }, 'containers', 0),
  ],
  ...[
    { hostPath: { path: '/' } },
    { secret: { secretName: 'database' } },
    { secret: { secretName: 'default-token-abcde' } },
    { secret: { secretName: 'mine-token' } },
    { secret: { secretName: 'mine-token-00000000-00000000-0' } },
    { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
    { persistentVolumeClaim: { claimName: 'database' } },
    { configMap: { name: 'database' } },
    { nfs: { server: '10.0.0.1', path: '/' } },
    { csi: { driver: 'secrets-store.csi.k8s.io' } },
    {
      ephemeral: {
        volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      },
    },
  ].map((volume) => [`volume ${JSON.stringify(volume)}`, add({ name: 'v', ...volume }, 'volumes')] as const),
];

/** Of objects of other kinds. */
export const wrongOthers: readonly (readonly [string, string, Change])[] = [
  ['Service', 'a load balancer', set({ type: 'LoadBalancer' }, 'spec')],
  ['Service', 'a port of nodes', set({ type: 'NodePort' }, 'spec')],
  ['Service', 'an address of others', set({ externalIPs: ['10.0.0.1'] }, 'spec')],
  ['Service', 'another name', set({ type: 'ExternalName', externalName: 'evil.example' }, 'spec')],
  ['Service', "others' pods", set({ selector: { app: 'database' } }, 'spec')],
  ['NetworkPolicy', "others' pods", set({ podSelector: {} }, 'spec')],
  ['PodDisruptionBudget', "others' pods", set({ selector: {} }, 'spec')],
  ['PersistentVolumeClaim', 'a volume that is there', set({ volumeName: 'pv' }, 'spec')],
  [
    'PersistentVolumeClaim',
    'a copy of another one',
    set({ dataSource: { kind: 'PersistentVolumeClaim', name: 'database' } }, 'spec'),
  ],
  [
    'Deployment',
    "others' pods",
    (object) => {
      for (const path of [
        ['selector', 'matchLabels'],
        ['template', 'metadata', 'labels'],
      ]) {
        const section = at(object, 'spec', ...path.slice(0, -1));
        section[path.at(-1)!] = { 'app.kubernetes.io/name': 'lockstep' };
      }
    },
  ],
  [
    'PersistentVolumeClaim',
    'a copy of another one, by an annotation',
    set({ 'k8s.io/CloneRequest': 'other/database' }, 'metadata', 'annotations'),
  ],
  [
    'Deployment',
    "others' ReplicaSets",
    set({ selector: { matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] } }, 'spec'),
  ],
  ['ConfigMap', "others' dashboards", set({ grafana_dashboard: '1' }, 'metadata', 'labels')],
  ['ConfigMap', "others' application", set({ 'app.kubernetes.io/name': 'database' }, 'metadata', 'labels')],
  ['Secret', "others' key", set({ 'sealedsecrets.bitnami.com/sealed-secrets-key': 'active' }, 'metadata', 'labels')],
  [
    'Secret',
    'a copy of another one',
    set({ 'replicator.v1.mittwald.de/replicate-from': 'other/database' }, 'metadata', 'annotations'),
  ],
  [
    'Secret',
    'a token of an account',
    (object) => {
      set({ annotations: { 'kubernetes.io/service-account.name': 'powerful' } }, 'metadata')(object);
      object['type'] = 'kubernetes.io/service-account-token';
    },
  ],
  ['Secret', 'a bootstrap token', set({ type: 'bootstrap.kubernetes.io/token' })],
];
