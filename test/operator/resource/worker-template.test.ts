import type { V1Deployment, V1PodTemplateSpec } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJob } from '../../../operator/plan/job-context.js';
import { workerDeployment } from '../../../operator/plan/objects/worker-deployment.js';
import { planJob } from '../../../operator/plan/plan-job.js';
import { templateProblems } from '../../../operator/resource/worker-template.js';
import { credentials, makeJob, noonMs, observe, settings } from '../objects.js';
import { runs } from '../../thorough.js';

const inSpec = (spec: object) => ({ spec });
const inWorker = (fields: object) => inSpec({ containers: [{ name: 'worker', ...fields }] });
const inVolume = (kind: object) => inSpec({ volumes: [{ name: 'v', ...kind }] });
const inEnv = (name: string, source: object = { value: 'x' }) => inWorker({ env: [{ name, ...source }] });
const mountedAt = (mountPath: string, more: object = {}) =>
  inWorker({ volumeMounts: [{ name: 'v', mountPath, ...more }] });
const labelled = (key: string) => ({ metadata: { labels: { [key]: 'x' } } });
const annotated = (key: string) => ({ metadata: { annotations: { [key]: 'x' } } });
const near = (more: object) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', ...more }],
});
const pathsOf = (template: unknown, allowAny = false) =>
  templateProblems(template, { allowAny }).map(({ path }) => path.slice(2).join('.'));

const allowed: readonly (readonly [string, object])[] = [
  ['nothing', {}],
  ['queue', labelled('kueue.x-k8s.io/queue-name')],
  ['consent to eviction', annotated('cluster-autoscaler.kubernetes.io/safe-to-evict')],
  ['node affinity', inSpec({ affinity: { nodeAffinity: { anything: [] } } })],
  ['distance', inSpec({ affinity: { podAntiAffinity: near({ labelSelector: { matchLabels: { a: 'b' } } }) } })],
  ['nodes', inSpec({ nodeSelector: { zone: 'a' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] })],
  ['spread', inSpec({ topologySpreadConstraints: [{ maxSkew: 1 }] })],
  ['runtime', inSpec({ runtimeClassName: 'nvidia', terminationGracePeriodSeconds: 60 })],
  ['memory as /tmp', inSpec({ volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }] })],
  ['ConfigMap', inVolume({ configMap: { name: 'lockstep.settings' } })],
  ['claim', inVolume({ persistentVolumeClaim: { claimName: 'lockstep.cache', readOnly: true } })],
  ['downward API', inVolume({ downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } })],
  ['variable', inEnv('OMP_NUM_THREADS')],
  ['variable of the node', inEnv('NODE', { valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } })],
  ['setting', inEnv('A', { valueFrom: { configMapKeyRef: { name: 'lockstep.settings', key: 'a' } } })],
  ['resources', inWorker({ resources: { limits: { 'nvidia.com/gpu': 1 } } })],
  ['mount', mountedAt('/data/cache', { readOnly: true, subPath: 'a/b' })],
];

/** Each with the path of its one problem. `always`: also with `--allow-any-template`. */
const refused: readonly (readonly [path: string, template: object, when?: 'always'])[] = [
  ...[
    ...['hostNetwork', 'hostPID', 'hostIPC', 'hostUsers', 'hostname', 'hostAliases', 'nodeName', 'schedulerName'],
    ...['serviceAccountName', 'serviceAccount', 'automountServiceAccountToken', 'priorityClassName', 'priority'],
    ...['shareProcessNamespace', 'securityContext', 'imagePullSecrets', 'dnsPolicy', 'dnsConfig', 'resourceClaims'],
    ...['preemptionPolicy', 'os', 'overhead', 'restartPolicy', 'ephemeralContainers', 'schedulingGates', 'resources'],
  ].map((key) => [`spec.${key}`, inSpec({ [key]: true })] as const),
  ['spec.initContainers', inSpec({ initContainers: [{ name: 'i' }] })],
  ['spec.terminationGracePeriodSeconds', inSpec({ terminationGracePeriodSeconds: 86_400 })],
  ['spec.containers.0.name', inSpec({ containers: [{ name: 'side' }] })],
  ['spec.containers.1.name', inSpec({ containers: [{ name: 'worker' }, { name: 'worker' }] }), 'always'],
  ...[
    ...[
      'image',
      'imagePullPolicy',
      'securityContext',
      'lifecycle',
      'livenessProbe',
      'startupProbe',
      'ports',
      'envFrom',
    ],
    ...['volumeDevices', 'workingDir', 'stdin', 'tty', 'terminationMessagePath', 'restartPolicy', 'resizePolicy'],
  ].map((key) => [`spec.containers.0.${key}`, inWorker({ [key]: {} })] as const),
  ['spec.containers.0.command', inWorker({ command: ['sh'] }), 'always'],
  ['spec.containers.0.args', inWorker({ args: ['evil'] }), 'always'],
  ['spec.containers.0.resources.claims', inWorker({ resources: { claims: [{ name: 'c' }] } })],
  ...['HOME', 'PATH', 'LD_PRELOAD', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'NVIDIA_VISIBLE_DEVICES', 'A B'].map(
    (name) => ['spec.containers.0.env.0.name', inEnv(name)] as const,
  ),
  [
    'spec.containers.0.env.0.valueFrom.secretKeyRef',
    inEnv('A', { valueFrom: { secretKeyRef: { name: 'lockstep.s', key: 'k' } } }),
  ],
  [
    'spec.containers.0.env.0.valueFrom.configMapKeyRef.name',
    inEnv('A', { valueFrom: { configMapKeyRef: { name: 'database', key: 'k' } } }),
  ],
  ['spec.containers.0.env.1.name', inWorker({ env: [{ name: 'A' }, { name: 'A' }] })],
  ...['/etc/lockstep/tls', '/etc/lockstep', '/etc', '/', '/etc//lockstep/', '/var/../etc/lockstep', '/data/../usr'].map(
    (path) => ['spec.containers.0.volumeMounts.0.mountPath', mountedAt(path), 'always'] as const,
  ),
  ...['/opt/lockstep/dist', '/usr/bin', '/proc/1', '/dev/shm', '/lib64', 'relative', '/data/'].map(
    (path) => ['spec.containers.0.volumeMounts.0.mountPath', mountedAt(path)] as const,
  ),
  ['spec.containers.0.volumeMounts.0.subPath', mountedAt('/data', { subPath: '../x' })],
  ['spec.containers.0.volumeMounts.0.subPathExpr', mountedAt('/data', { subPathExpr: '$(A)' })],
  ['spec.containers.0.volumeMounts.0.mountPropagation', mountedAt('/data', { mountPropagation: 'Bidirectional' })],
  ...['secret', 'hostPath', 'projected', 'csi', 'nfs', 'ephemeral', 'image', 'iscsi', 'gitRepo', 'flexVolume'].map(
    (kind) => [`spec.volumes.0.${kind}`, inVolume({ emptyDir: {}, [kind]: {} })] as const,
  ),
  ['spec.volumes.0.persistentVolumeClaim.claimName', inVolume({ persistentVolumeClaim: { claimName: 'cifar10-run' } })],
  ['spec.volumes.0.configMap.name', inVolume({ configMap: { name: 'cluster-info' } })],
  ['spec.volumes.0', inVolume({})],
  ['spec.volumes.0', inVolume({ emptyDir: {}, configMap: { name: 'lockstep.settings' } })],
  ['spec.volumes.0', inSpec({ volumes: [{ name: 'tmp', configMap: { name: 'lockstep.settings' } }] })],
  ['spec.volumes.0.name', inSpec({ volumes: [{ name: 'tls', emptyDir: {} }] }), 'always'],
  ['spec.volumes.0.name', inSpec({ volumes: [{ name: 'token', emptyDir: {} }] }), 'always'],
  ['spec.volumes.1.name', inSpec({ volumes: [0, 1].map(() => ({ name: 'tmp', emptyDir: {} })) }), 'always'],
  ...['podAffinity', 'podAntiAffinity'].flatMap((kind) =>
    ['namespaces', 'namespaceSelector'].map(
      (key) =>
        [
          `spec.affinity.${kind}.requiredDuringSchedulingIgnoredDuringExecution.0.${key}`,
          inSpec({ affinity: { [kind]: near({ [key]: {} }) } }),
        ] as const,
    ),
  ),
  ...['app', 'team', 'pod-security.kubernetes.io/enforce'].map(
    (key) => [`metadata.labels.${key}`, labelled(key)] as const,
  ),
  ...['lockstep.dev/job-uid', 'app.kubernetes.io/managed-by', 'app.kubernetes.io/component', 'lockstep.dev/x'].map(
    (key) => [`metadata.labels.${key}`, labelled(key), 'always'] as const,
  ),
  ...[
    'container.apparmor.security.beta.kubernetes.io/worker',
    'vault.hashicorp.com/agent-inject',
    'sidecar.istio.io/inject',
    'k8s.v1.cni.cncf.io/networks',
    'iam.amazonaws.com/role',
    'seccomp.security.alpha.kubernetes.io/pod',
  ].map((key) => [`metadata.annotations.${key}`, annotated(key)] as const),
  ['metadata.annotations.lockstep.dev/applied', annotated('lockstep.dev/applied'), 'always'],
  ['metadata.finalizers', { metadata: { finalizers: ['x'] } }, 'always'],
  ['spec.containers', inSpec({ containers: 'none' }), 'always'],
  ['spec.containers.0', inSpec({ containers: [null] }), 'always'],
  ['spec.volumes', inSpec({ volumes: null }), 'always'],
  ['spec.tolerations', inSpec({ tolerations: 'all' }), 'always'],
];

describe("the fields of the workers' template", () => {
  it.each(allowed)('that a restricted pod needs are accepted: %s', (_, template) => {
    expect(pathsOf(template)).toEqual([]);
    expect(pathsOf(template, true)).toEqual([]);
  });

  it.each(refused)('that reach beyond the pod are refused: %s in %j', (path, template, when) => {
    expect(pathsOf(template)).toEqual([path]);
    expect(pathsOf(template, true)).toEqual(when === 'always' ? [path] : []);
  });
});

describe('a template of more than 64 KiB', () => {
  it.each([false, true])('is refused before anything in it is read, any template allowed: %s', (allowAny) => {
    const env = Array.from({ length: 4_000 }, (_, index) => ({ name: `A${index}`, value: 'x' }));
    expect(templateProblems(inWorker({ env }), { allowAny })).toEqual([
      {
        path: ['workers', 'template'],
        message: expect.stringMatching(/^expected at most 65536 bytes of JSON, got \d+/) as string,
      },
    ]);
  });
});

describe('a job whose template is refused', () => {
  const template = { spec: { hostPID: true, containers: [{ name: 'worker', securityContext: { privileged: true } }] } };
  const job = makeJob({ workers: { template } });

  it('fails, and lists every field with its path and what to do', () => {
    const { actions, status } = planJob(observe(job), noonMs);
    expect(status.state).toBe('Failed');
    expect(status.message).toContain('workers.template.spec.hostPID: a field that jobs may not set here; remove it');
    expect(status.message).toContain('workers.template.spec.containers.0.securityContext: ');
    expect(status.message).toContain('--allow-any-template');
    expect(actions.filter(({ type }) => type === 'create')).toEqual([]);
  });

  it('is accepted by an operator that allows any template, with the credentials and labels of its job', () => {
    const { context } = readJob(job, { ...settings, allowAnyTemplate: true });
    const { spec, metadata } = (workerDeployment(context!, credentials) as V1Deployment).spec!.template;
    expect(spec).toMatchObject({ hostPID: true, containers: [{ securityContext: { privileged: true } }] });
    expect(metadata?.labels).toMatchObject({ 'lockstep.dev/job': 'cifar10' });
  });
});

const harmless = allowed.map(([, template]) => template);
/** Values from all of the tables, in any combination; half of them from the allowed ones alone. */
const template = fc
  .constantFrom(harmless, [...harmless, ...refused.map(([, template]) => template)])
  .chain((parts) => fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 6 }))
  .map((list) => list.reduce<object>((sum, part) => combine(sum, part) as object, {}));

function combine(a: unknown, b: unknown): unknown {
  if (Array.isArray(a) && Array.isArray(b)) return (a as unknown[]).concat(b);
  if (!isObject(a) || !isObject(b)) return b;
  const changed = Object.entries(b).map(([key, value]) => [key, key in a ? combine(a[key], value) : value]);
  return { ...a, ...(Object.fromEntries(changed) as object) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function podsOf(given: object, allowAnyTemplate: boolean): V1PodTemplateSpec | undefined {
  const { context } = readJob(makeJob({ workers: { template: given } }), { ...settings, allowAnyTemplate });
  return context && (workerDeployment(context, credentials) as V1Deployment).spec!.template;
}

describe('a template of any combination', () => {
  const plain = podsOf({}, false)!;
  const worker = ({ spec }: V1PodTemplateSpec) => spec!.containers.find(({ name }) => name === 'worker')!;

  it("is rejected, or its pods stay restricted and the job's own", () => {
    let taken = 0;
    const property = fc.property(template, (given) => {
      const pods = podsOf(given, false);
      if (!pods) return;
      taken += 1;
      expect(pods.spec!.containers).toHaveLength(1);
      const { env, resources, volumeMounts, ...fixed } = worker(pods);
      expect({ ...worker(plain), ...fixed }).toEqual(worker(plain));
      expect(env?.slice(0, 2)).toEqual(worker(plain).env);
      expect(Object.keys(resources ?? {}).filter((key) => key !== 'limits' && key !== 'requests')).toEqual([]);
      expect(volumeMounts?.slice(0, 2)).toEqual(worker(plain).volumeMounts?.slice(0, 2));
      const kinds = pods
        .spec!.volumes!.slice(2)
        .flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
      for (const kind of kinds)
        expect(['emptyDir', 'configMap', 'persistentVolumeClaim', 'downwardAPI']).toContain(kind);
      expect(pods.spec!.volumes!.slice(0, 2)).toEqual(plain.spec!.volumes!.slice(0, 2));
      const { securityContext, automountServiceAccountToken, enableServiceLinks } = pods.spec!;
      expect({ securityContext, automountServiceAccountToken, enableServiceLinks }).toEqual({
        securityContext: plain.spec!.securityContext,
        ...{ automountServiceAccountToken: false, enableServiceLinks: false },
      });
      const free = ['affinity', 'nodeSelector', 'tolerations', 'topologySpreadConstraints', 'runtimeClassName'];
      const known = [...Object.keys(plain.spec!), ...free];
      expect(Object.keys(pods.spec!).filter((key) => !known.includes(key))).toEqual([]);
      expect(pods.metadata?.labels).toMatchObject(plain.metadata!.labels!);
    });
    fc.assert(property, { numRuns: runs(500) });
    expect(taken).toBeGreaterThan(runs(20));
  });

  it('keeps labels, program and credentials also if any template is allowed', () => {
    let taken = 0;
    const property = fc.property(template, (given) => {
      const pods = podsOf(given, true);
      if (!pods) return;
      taken += 1;
      expect(pods.metadata?.labels).toMatchObject(plain.metadata!.labels!);
      const { command, args, volumeMounts } = worker(pods);
      expect([command, args]).toEqual([undefined, worker(plain).args]);
      expect(volumeMounts?.slice(0, 2)).toEqual(worker(plain).volumeMounts?.slice(0, 2));
      expect(pods.spec!.volumes!.slice(0, 2)).toEqual(plain.spec!.volumes!.slice(0, 2));
    });
    fc.assert(property, { numRuns: runs(300) });
    expect(taken).toBeGreaterThan(runs(20));
  });

  it('of any other shape is read without an internal error', () => {
    const any = fc.object({
      key: fc.constantFrom('spec', 'metadata', 'containers', 'name', 'env', 'volumes'),
      values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
      maxDepth: 5,
    });
    fc.assert(
      fc.property(any, fc.boolean(), (given, allowAny) => void podsOf(given, allowAny)),
      { numRuns: runs(300) },
    );
  });
});
