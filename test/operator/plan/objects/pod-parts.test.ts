import type { V1Container, V1Deployment, V1Pod, V1PodSpec, V1Secret } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type JobContext, readJob } from '../../../../operator/plan/job-context.js';
import { delaySeconds } from '../../../../operator/plan/memory.js';
import { natsJobName } from '../../../../operator/plan/names.js';
import { jobConfig, secretObjects } from '../../../../operator/plan/objects/config.js';
import { coordinatorPod } from '../../../../operator/plan/objects/coordinator-pod.js';
import { parseNameServers } from '../../../../operator/plan/objects/name-servers.js';
import { coordinatorService, networkPolicies } from '../../../../operator/plan/objects/network.js';
import { storageClaims } from '../../../../operator/plan/objects/storage.js';
import { workerDeployment } from '../../../../operator/plan/objects/worker-deployment.js';
import { planJob } from '../../../../operator/plan/plan-job.js';
import { formatSpan } from '../../../../operator/plan/time.js';
import type { TrainingJobSpec } from '../../../../operator/resource/training-job.js';
import { jobNamePattern, operatorJobOf } from '../../../../nats/names.js';
import { parseSpec } from '../../../../job/spec.js';
import { credentials, makeJob, noonMs, observe, settings } from '../../objects.js';

function context(spec: TrainingJobSpec = {}): JobContext {
  const read = readJob(makeJob(spec), settings);
  if (!read.context) throw new Error(read.problems);
  return read.context;
}
const podOf = (spec?: TrainingJobSpec) => (coordinatorPod(context(spec), 1, credentials) as V1Pod).spec!;
const templateOf = (spec?: TrainingJobSpec) =>
  (workerDeployment(context(spec), credentials) as V1Deployment).spec!.template;
const only = ({ containers }: V1PodSpec): V1Container => containers[0]!;

/** Names of the greatest length that Kubernetes and the CRD allow. */
const longest = {
  namespace: 'n'.repeat(63),
  name: 'j'.repeat(51),
  uid: '01234567-89ab-4cde-8f01-23456789abcd',
};

describe('every pod', () => {
  it.each([
    ['coordinator', podOf()],
    ['worker', templateOf().spec!],
  ])('meets the restricted standard: %s', (_, pod) => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(only(pod).securityContext).toEqual({
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'] },
    });
    expect(only(pod).args).toEqual(expect.arrayContaining(['--tls-cert', '--tls-key', '--tls-ca', '--token-file']));
  });
});

describe("the coordinator's pod", () => {
  it('answers probes on a port of its own, which no service and no policy opens', () => {
    const { args, ports, startupProbe, readinessProbe, livenessProbe } = only(podOf());
    const httpGet = { path: '/healthz', port: 8062, scheme: 'HTTP' };
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) expect(probe).toMatchObject({ httpGet });
    expect(args).toEqual(expect.arrayContaining(['--health', '0.0.0.0:8062']));
    expect(ports).toContainEqual({ name: 'health', containerPort: 8062 });
    const open = JSON.stringify([coordinatorService(context()), ...networkPolicies(context())]);
    expect(open).toContain('8061');
    expect(open).not.toContain('8062');
  });

  it('reads a complete spec, with the name of the resource', () => {
    const { actions } = planJob(observe(makeJob({ epochs: 3 })), noonMs);
    const config = actions.flatMap((a) => (a.type === 'create' && a.object.kind === 'ConfigMap' ? [a.object] : []))[0];
    const text = (config as { data?: Record<string, string> }).data!['job.yaml']!;
    const spec = parse(text) as object;
    expect(spec).toMatchObject({ name: 'cifar10', model: 'cnn3', epochs: 3, optimizer: { learningRate: 0.05 } });
    expect(parseSpec(spec)).toEqual(spec);
  });

  it.each([
    ['data/shapes', '/var/lib/lockstep/data/shapes'],
    ['/mnt/shapes', '/mnt/shapes'],
  ])('finds an image folder from its home: %s', (path, absolute) => {
    const config = jobConfig(context({ data: { dataset: 'folder', path } })) as { data?: Record<string, string> };
    expect(parse(config.data!['job.yaml']!)).toMatchObject({ data: { dataset: 'folder', path: absolute } });
  });

  it.each([
    [4, 3, '3'],
    [2, 3, '2'],
    [0, 3, '1'],
  ])('with %i replicas and min %i waits for %s workers', (replicas, min, wanted) => {
    const args = only(podOf({ workers: { replicas, min } })).args!;
    expect(args[args.indexOf('--min-workers') + 1]).toBe(wanted);
  });

  it('keeps run and data on a claim of its own by default', () => {
    expect(storageClaims(context()).map(({ metadata }) => metadata?.name)).toEqual(['cifar10-run']);
    const given = { run: { existingClaim: 'lockstep.disk' }, data: { emptyDir: {} } };
    expect(storageClaims(context({ storage: given }))).toEqual([]);
    const pod = podOf({ storage: given });
    expect(pod.volumes).toContainEqual({ name: 'run', persistentVolumeClaim: { claimName: 'lockstep.disk' } });
    expect(only(pod).volumeMounts).toContainEqual({ name: 'run', mountPath: '/var/lib/lockstep', subPath: 'cifar10' });
    expect(only(pod).volumeMounts).toContainEqual({ name: 'data', mountPath: '/var/lib/lockstep/data' });
  });

  it('publishes to NATS under a unique name, with credentials and CA from Secrets', () => {
    const ca = { secretName: 'lockstep.ca' };
    const pod = podOf({ nats: { url: 'tls://nats:4222', credentials: { secretName: 'lockstep.nats' }, ca } });
    const args = only(pod).args!.join(' ');
    const name = '--nats tls://nats:4222 --nats-job ml_cifar10_uid-of-the-job --nats-start-over';
    expect(args).toContain(`${name} --nats-creds /etc/lockstep/nats/nats.creds --nats-ca /etc/lockstep/nats-ca/ca.crt`);
    const secret = (secretName: string) => ({ secretName, defaultMode: 0o440 });
    expect(pod.volumes).toContainEqual({ name: 'nats', secret: secret('lockstep.nats') });
    expect(pod.volumes).toContainEqual({ name: 'nats-ca', secret: secret('lockstep.ca') });
    expect(only(pod).volumeMounts).toContainEqual(
      expect.objectContaining({ name: 'nats-ca', mountPath: '/etc/lockstep/nats-ca' }),
    );
    expect(jobNamePattern.test(natsJobName(longest))).toBe(true);
    expect(operatorJobOf(natsJobName(longest))).toEqual({ namespace: longest.namespace, name: longest.name });
  });

  it.each([
    [{ type: 'token', key: 't' }, '--nats-token-file /etc/lockstep/nats/t'],
    [{ type: 'password', key: 'p', user: 'ada' }, '--nats-user ada --nats-password-file /etc/lockstep/nats/p'],
  ] as const)('authenticates to NATS with its credentials: %j', (credentials, expected) => {
    const nats = {
      url: 'nats://nats:4222',
      insecure: true,
      credentials: { secretName: 'lockstep.nats', ...credentials },
    };
    expect(only(podOf({ nats })).args!.join(' ')).toContain(`${expected} --insecure`);
  });
});

describe("the workers' template", () => {
  const over = {
    metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'gpus' } },
    spec: {
      runtimeClassName: 'nvidia',
      containers: [
        {
          name: 'worker',
          env: [{ name: 'A', value: '1' }],
          volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
        },
      ],
      volumes: [
        { name: 'tmp', emptyDir: { medium: 'Memory' } },
        { name: 'cache', emptyDir: {} },
      ],
      tolerations: [{ key: 'spot', operator: 'Exists' }],
    },
  };
  const { metadata, spec } = templateOf({
    workers: {
      template: over,
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      resources: { limits: { 'nvidia.com/gpu': 1 } },
    },
  });

  it('accepts overrides by name, and additional tolerations', () => {
    expect(spec?.runtimeClassName).toBe('nvidia');
    expect(only(spec!).env).toEqual([
      { name: 'HOME', value: '/tmp' },
      { name: 'XDG_CACHE_HOME', value: '/tmp' },
      { name: 'A', value: '1' },
    ]);
    expect(spec?.volumes).toContainEqual({ name: 'tmp', emptyDir: { medium: 'Memory' } });
    expect(only(spec!).volumeMounts?.map(({ mountPath }) => mountPath)).toEqual([
      ...['/etc/lockstep/tls', '/etc/lockstep/token', '/tmp', '/cache'],
    ]);
    expect(spec?.tolerations?.map(({ key }) => key)).toEqual(['gpu', 'spot']);
    expect(only(spec!).resources).toEqual({ limits: { 'nvidia.com/gpu': '1' } });
  });

  it('stays a worker of its job', () => {
    expect(metadata?.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'gpus', 'lockstep.dev/job': 'cifar10' });
    expect(only(spec!).args?.slice(0, 3)).toEqual(['worker', '--coordinator', 'cifar10-coordinator:50061']);
  });
});

describe('objects that a job refers to', () => {
  it.each([
    ['storage.run.existingClaim', { storage: { run: { existingClaim: 'other-run' } } }],
    ['storage.data.existingClaim', { storage: { data: { existingClaim: 'lockstep-run' } } }],
    ['storage.run.path', { storage: { run: { existingClaim: 'lockstep.disk', path: 'a/../../b' } } }],
    ['nats.credentials.secretName', { nats: { url: 'nats://n:4222', credentials: { secretName: 'database' } } }],
  ] as const)('must be named for jobs: %s', (path, spec) => {
    expect(readJob(makeJob(spec), settings).problems).toMatch(
      new RegExp(`^  ${path}: expected (a name that begins with|folder names)`, 'm'),
    );
  });
});

interface Policy {
  readonly spec: {
    readonly ingress: object[];
    readonly egress: { readonly to: object[]; readonly ports?: object[] }[];
  };
}

describe('network policies', () => {
  const dns = ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 }));
  const kubeDns = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
    podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
  };

  it("let workers and the operator in, and workers out to the coordinator and the cluster's name servers alone", () => {
    const [coordinator, worker] = networkPolicies(context()) as unknown as Policy[];
    const text = JSON.stringify(coordinator!.spec.ingress);
    expect(text).toContain('"kubernetes.io/metadata.name":"lockstep-system"');
    expect(text).not.toContain('_from');
    expect(worker!.spec.ingress).toEqual([]);
    const labels = { 'lockstep.dev/job-uid': 'uid-of-the-job', 'app.kubernetes.io/component': 'coordinator' };
    expect(worker!.spec.egress).toEqual([
      { to: [{ podSelector: { matchLabels: labels } }], ports: [{ protocol: 'TCP', port: 50061 }] },
      { to: [kubeDns], ports: dns },
    ]);
  });

  it("keep coordinators from metadata services, which give out the node's credentials", () => {
    const [coordinator] = networkPolicies(context()) as unknown as Policy[];
    const { to, ports } = coordinator!.spec.egress[0]!;
    expect(ports).toBeUndefined();
    expect(to[0]).toEqual({
      ipBlock: { cidr: '0.0.0.0/0', except: expect.arrayContaining(['169.254.0.0/16']) as string[] },
    });
    const scaleway = ['fd00:42::42/128'];
    expect(to[1]).toEqual({ ipBlock: { cidr: '::/0', except: expect.arrayContaining(scaleway) as string[] } });
  });

  it('take name servers of another kind from the operator’s settings', () => {
    const nameServers = parseNameServers(
      'openshift-dns/dns.operator.openshift.io/daemonset-dns=default,169.254.20.10/32',
    );
    const { context } = readJob(makeJob(), { ...settings, nameServers });
    const policies = networkPolicies(context!) as unknown as Policy[];
    const expected = [
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'openshift-dns' } },
        podSelector: { matchLabels: { 'dns.operator.openshift.io/daemonset-dns': 'default' } },
      },
      { ipBlock: { cidr: '169.254.20.10/32' } },
    ];
    expect(policies.map(({ spec }) => spec.egress[1])).toEqual([
      { to: expected, ports: dns },
      { to: expected, ports: dns },
    ]);
  });

  it.each(['', 'kube-dns', '10.0.0.10', '10.0.0.10/33', 'fd00::a/129', 'a/b=c,', 'a/b=c d', '999.1.1.1/8'])(
    'take no other: %j',
    (text) => {
      expect(() => parseNameServers(text)).toThrow('expected NAMESPACE/LABEL=VALUE or an address');
    },
  );
});

describe('secrets', () => {
  it('are three, one for each role and the token, owned by the job; they are immutable', () => {
    const pair = (role: string) => ({ cert: `${role} cert`, key: `${role} key` });
    const certificates = { ca: 'ca', coordinator: pair('coordinator'), worker: pair('worker') };
    const made = secretObjects({ name: 'cifar10', namespace: 'ml', uid: 'u' }, 'abc', certificates, 'the token');
    const plain = (secret: V1Secret) =>
      Object.fromEntries(
        Object.entries(secret.data!).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
      );
    expect(made.map(({ metadata }) => metadata?.name)).toEqual([
      ...['cifar10-coordinator-tls-abc', 'cifar10-worker-tls-abc', 'cifar10-token-abc'],
    ]);
    expect(made.map(({ immutable }) => immutable)).toEqual([true, true, true]);
    expect(plain(made[1]!)).toEqual({ 'tls.crt': 'worker cert', 'tls.key': 'worker key', 'ca.crt': 'ca' });
    expect(plain(made[2]!)).toEqual({ token: 'the token' });
    expect(made.map(({ metadata }) => metadata?.ownerReferences?.[0]?.uid)).toEqual(['u', 'u', 'u']);
  });
});

describe('figures', () => {
  it.each([
    [0.2, '1s'],
    [59.1, '1m00s'],
    [191.2, '3m12s'],
    [18_180, '5h03m'],
    [187_200, '2d4h'],
  ])('%d s are %s', (seconds, text) => expect(formatSpan(seconds)).toBe(text));

  it('double the delay from 1 s to 60 s, a lost pod one step behind a failed one', () => {
    const quick = [1, 2, 3, 4, 5, 6, 7, 8, 30];
    expect(quick.map((n) => delaySeconds(true, n))).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(quick.map((n) => delaySeconds(false, n))).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60]);
  });
});
