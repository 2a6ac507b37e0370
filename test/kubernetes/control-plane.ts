/** Files and addresses of one control plane; everything on loopback. */
export interface ControlPlanePlace {
  readonly directory: string;
  readonly etcdPort: number;
  readonly apiPort: number;
  /** CIDR of cluster addresses of services. */
  readonly serviceNetwork: string;
  readonly kubeconfig: string;
  /** A node that renews nothing for this long is considered lost. */
  readonly nodeGraceSeconds: number;
}

/** Speed over durability: the data lives as long as the test. */
export function etcdArguments({ directory, etcdPort }: ControlPlanePlace): string[] {
  return [
    `--data-dir=${directory}/etcd`,
    `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
    `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

/**
 * The API server signs its own certificate into `certs/apiserver.crt`, which clients trust.
 *
 * Authentication is by the token file and service accounts, authorisation by RBAC, and pod security admission is on, so
 * manifests face the same checks as in a cluster. Clients aren't throttled for fairness.
 */
export function apiServerArguments({ directory, etcdPort, apiPort, serviceNetwork }: ControlPlanePlace): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--secure-port=${apiPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--cert-dir=${directory}/certs`,
    `--token-auth-file=${directory}/tokens.csv`,
    '--authorization-mode=RBAC',
    '--anonymous-auth=false',
    // As in clusters, so that rejections come from the policies.
    '--allow-privileged=true',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${directory}/accounts.pub`,
    `--service-account-signing-key-file=${directory}/accounts.key`,
    `--service-cluster-ip-range=${serviceNetwork}`,
    `--audit-policy-file=${directory}/audit-policy.yaml`,
    `--audit-log-path=${directory}/audit.log`,
    '--enable-priority-and-fairness=false',
    // A lost node's pods are evicted after seconds, not minutes.
    '--default-unreachable-toleration-seconds=2',
    '--default-not-ready-toleration-seconds=2',
    '--shutdown-delay-duration=0',
    '--profiling=false',
  ];
}

/** Only what the project's objects need; each additional one costs start-up time and a watch or two. */
const controllers = [
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'job-controller',
  'ttl-after-finished-controller',
  'disruption-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'persistentvolume-binder-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'node-lifecycle-controller',
  'taint-eviction-controller',
];

export function controllerManagerArguments({ directory, kubeconfig, nodeGraceSeconds }: ControlPlanePlace): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--controllers=${controllers.join(',')}`,
    `--root-ca-file=${directory}/certs/apiserver.crt`,
    `--service-account-private-key-file=${directory}/accounts.key`,
    '--pvclaimbinder-sync-period=1s',
    '--node-monitor-period=1s',
    `--node-monitor-grace-period=${nodeGraceSeconds}s`,
    '--node-eviction-rate=10',
    '--node-startup-grace-period=30s',
    ...clientFlags,
  ];
}

export function schedulerArguments({ kubeconfig }: ControlPlanePlace): string[] {
  return [`--kubeconfig=${kubeconfig}`, ...clientFlags];
}

const clientFlags = ['--leader-elect=false', '--secure-port=0', '--kube-api-qps=1000', '--kube-api-burst=2000'];

/** One line per request that a test may count; health checks and discovery are left out. */
export const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: None
    users: [system:apiserver]
  - level: None
    nonResourceURLs: ['/*']
  - level: Metadata
`;

/** Kubeconfig for `kubectl` and every client. */
export function kubeconfigText(server: string, caFile: string, user: object, namespace = 'default'): string {
  return `apiVersion: v1
kind: Config
current-context: test
clusters: [{ name: test, cluster: { server: '${server}', certificate-authority: '${caFile}' } }]
contexts: [{ name: test, context: { cluster: test, user: test, namespace: '${namespace}' } }]
users: [{ name: test, user: ${JSON.stringify(user)} }]
`;
}
