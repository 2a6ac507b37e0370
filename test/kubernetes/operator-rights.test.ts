import {
  KubeConfig,
  type KubernetesObject,
  PatchStrategy,
  type V1Deployment,
  type V1Pod,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planJob } from '../../deploy/operator/plan/plan-job.js';
import type { TrainingJob } from '../../deploy/operator/resource/training-job.js';
import { noonMs, observe } from '../operator/objects.js';
import { ApiClient, type ObjectName } from './api-client.js';
import { missing } from './assets.js';
import { Cluster } from './cluster.js';
import { kubectlMissing } from './kubectl.js';
import {
  installOperator,
  namespacedManifests,
  operatorKubeconfig,
  operatorNamespace,
  OperatorProcess,
  trainingJobCrd,
} from './operator-process.js';
import { trainingJob } from './training-job.js';

const skipped = missing ?? kubectlMissing;
const namespace = 'default';
const limitMs = 30_000;

type Fields = Record<string, unknown>;
/** Changes a copy of an object. */
type Change = (object: Fields) => void;

/** The section at `path`, made where there is none. */
function at(object: unknown, ...path: (string | number)[]): Fields {
  return path.reduce<Fields>((section, key) => (section[key] ??= {}) as Fields, object as Fields);
}
function changed(object: KubernetesObject, change: Change): KubernetesObject {
  const copy = structuredClone(object);
  change(copy as Fields);
  return copy;
}
const set =
  (fields: object, ...path: (string | number)[]): Change =>
  (object) =>
    void Object.assign(at(object, ...path), fields);
const add =
  (element: object, ...path: string[]): Change =>
  (object) => {
    const section = at(object, ...path.slice(0, -1));
    section[path.at(-1)!] = [...((section[path.at(-1)!] ?? []) as object[]), element];
  };

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`wait: expected ${what} in ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const wrongMeta: readonly (readonly [string, Change])[] = [
  ['no label of the operator', set({ labels: {} }, 'metadata')],
  ['the label of another operator', set({ 'app.kubernetes.io/managed-by': 'helm' }, 'metadata', 'labels')],
  ['no owner', set({ ownerReferences: undefined }, 'metadata')],
  ['an owner of another kind', set({ kind: 'Deployment', apiVersion: 'apps/v1' }, 'metadata', 'ownerReferences', 0)],
  ['an owner that is not the job of its label', set({ uid: 'x' }, 'metadata', 'ownerReferences', 0)],
  ['an owner that does not control it', set({ controller: false }, 'metadata', 'ownerReferences', 0)],
  ['the name of another', set({ name: 'database' }, 'metadata')],
];

/** Of a pod's spec. */
const wrongPods: readonly (readonly [string, Change])[] = [
  ...['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'].map((key) => [key, set({ [key]: true })] as const),
  ['a node', set({ nodeName: 'control-plane' })],
  ['host aliases', add({ ip: '1.2.3.4', hostnames: ['registry'] }, 'hostAliases')],
  ['system priority', set({ priorityClassName: 'system-node-critical' })],
  ['another service account', set({ serviceAccountName: 'powerful' })],
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
  ['all of a Secret', set({ envFrom: [{ secretRef: { name: 'database' } }] }, 'containers', 0)],
  [
    'a value of a Secret',
    set({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'database', key: 'k' } } }] }, 'containers', 0),
  ],
  ...[
    { hostPath: { path: '/' } },
    { secret: { secretName: 'database' } },
    { secret: { secretName: 'default-token-abcde' } },
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
const wrongOthers: readonly (readonly [string, string, Change])[] = [
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
        section[path.at(-1)!] = { app: 'database' };
      }
    },
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

describe.skipIf(skipped !== undefined)(`the operator's account ${skipped ? `(skipped: ${skipped})` : ''}`, () => {
  let cluster: Cluster;
  let admin: ApiClient;
  let operator: ApiClient;
  let job: TrainingJob;
  /** All that the operator makes for a job, by kind; of several one. */
  const objects = new Map<string, KubernetesObject>();
  const named = (kind: string) => objects.get(kind)!;

  beforeAll(async () => {
    cluster = await Cluster.start({ crds: [trainingJobCrd], controllers: false });
    admin = cluster.client();
    await installOperator(cluster);
    for (const name of ['default', 'powerful']) {
      await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
    }
    const config = new KubeConfig();
    config.loadFromFile(await operatorKubeconfig(cluster));
    operator = new ApiClient(config);
    job = await admin.create(trainingJob('mine'));
    // Defaults that the plan counts on are filled in.
    const { actions } = planJob(observe(job), noonMs);
    for (const action of actions) if (action.type === 'create') objects.set(action.object.kind, action.object);
    const { metadata } = named('ConfigMap');
    const secret = { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { ...metadata, name: 'mine-token' } };
    objects.set('Secret', secret as KubernetesObject);
    await untilPoliciesHold();
  });
  afterAll(async () => cluster?.close());

  /** The API server takes a policy up a moment after it was written. */
  async function untilPoliciesHold(): Promise<void> {
    const probes = [
      changed(named('ConfigMap'), set({ labels: {} }, 'metadata')),
      changed(named('Pod'), set({ hostPID: true }, 'spec')),
      changed(named('Deployment'), set({ hostPID: true }, 'spec', 'template', 'spec')),
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'x', namespace: operatorNamespace } },
    ];
    for (const probe of probes) {
      await until(async () => (await answer(dryRun(probe))) !== 'done', `a ${probe.kind} to be refused`);
    }
  }

  const dryRun = (object: KubernetesObject, client = operator) => client.objects.create(object, undefined, 'All');
  const applied = (object: KubernetesObject) =>
    operator.objects.patch(object, undefined, 'All', 'lockstep-operator', true, PatchStrategy.ServerSideApply);
  /** What came of a request: done, or the reason why not. */
  const answer = (asked: Promise<unknown>) =>
    asked.then(
      () => 'done',
      (error: Error) => {
        const body = (error as { body?: string }).body ?? error.message;
        return /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body;
      },
    );
  const podWith = (change: Change) => changed(named('Pod'), (pod) => change(at(pod, 'spec')));
  const deploymentWith = (change: Change) =>
    changed(named('Deployment'), (deployment) => change(at(deployment, 'spec', 'template', 'spec')));

  it('makes, writes and removes all that a job needs', async () => {
    const kinds = [...objects.keys()].sort();
    expect(kinds).toEqual([
      ...['ConfigMap', 'Deployment', 'NetworkPolicy', 'PersistentVolumeClaim', 'Pod', 'PodDisruptionBudget', 'Secret'],
      'Service',
    ]);
    for (const object of objects.values())
      expect([object.kind, await answer(dryRun(object))]).toEqual([object.kind, 'done']);
    const deployment = await operator.create(named('Deployment') as V1Deployment);
    expect(await answer(applied(changed(named('Deployment'), set({ replicas: 2 }, 'spec'))))).toBe('done');
    await operator.delete(deployment as ObjectName);
    const pod = await operator.create(named('Pod') as V1Pod);
    await operator.delete(pod as ObjectName, { graceSeconds: 0 });
  });

  it('takes pods of jobs that use all they may', async () => {
    const spec = {
      nats: { url: 'nats://n:4222', credentials: { secretName: 'lockstep.nats' } },
      storage: { run: { existingClaim: 'lockstep.runs' }, data: { size: '1Gi' } },
      workers: {
        template: {
          metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'gpus' } },
          spec: {
            containers: [
              { name: 'worker', env: [{ name: 'A', value: '1' }], volumeMounts: [{ name: 'c', mountPath: '/c' }] },
            ],
            volumes: [
              { name: 'c', persistentVolumeClaim: { claimName: 'lockstep.cache' } },
              { name: 'd', configMap: { name: 'lockstep.settings' } },
              { name: 'e', downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } },
            ],
          },
        },
      },
    };
    const full = await admin.create(trainingJob('full', spec));
    const { actions } = planJob(observe(full), noonMs);
    const made = actions.flatMap((action) => (action.type === 'create' ? [action.object] : []));
    expect(made.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Pod', 'Deployment']));
    for (const object of made) expect([object.kind, await answer(dryRun(object))]).toEqual([object.kind, 'done']);
  });

  describe.each(wrongMeta)('makes nothing that has %s', (_, change) => {
    it.each([
      ...['ConfigMap', 'Deployment', 'NetworkPolicy', 'PersistentVolumeClaim', 'Pod', 'PodDisruptionBudget', 'Secret'],
      'Service',
    ])('%s', async (kind) => {
      // Without an owner, nothing that the pods mount is their job's.
      expect(await answer(dryRun(changed(named(kind), change)))).toMatch(
        /'lockstep-operator-(objects|pods)' .* denied/,
      );
    });
  });

  it.each(wrongPods)('makes no pod, and no Deployment of pods, with %s', async (_, change) => {
    const refused = /ValidatingAdmissionPolicy 'lockstep-operator-pods' with binding '([-a-z]+)' denied request/;
    expect(refused.exec(await answer(dryRun(podWith(change))))?.[1]).toBe('lockstep-operator-coordinators');
    expect(refused.exec(await answer(dryRun(deploymentWith(change))))?.[1]).toBe('lockstep-operator-workers');
  });

  it.each(wrongOthers)('makes no %s that is, or is for, %s', async (kind, _, change) => {
    expect(await answer(dryRun(changed(named(kind), change)))).toContain('the operator may only');
  });

  it('makes one Secret that is no job’s: its own key, in its own namespace', async () => {
    const key = (inNamespace: string, name = 'lockstep-operator-key') =>
      dryRun({
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'Opaque',
        metadata: { name, namespace: inNamespace },
      } as object);
    expect(await answer(key(operatorNamespace))).toBe('done');
    expect(await answer(key(namespace))).toContain('the operator may only write and delete');
    expect(await answer(key(operatorNamespace, 'other'))).toContain('the operator may only write and delete');
  });

  it('changes and deletes nothing of others, also not what carries its label', async () => {
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const others = { app: 'x' };
    const metadata = { name: 'others', namespace };
    const deployment = await admin.create<KubernetesObject>({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      ...{ spec: { selector: { matchLabels: others }, template } },
    } as KubernetesObject);
    const labels = named('Pod').metadata?.labels ?? {};
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true };
    const worker = await admin.create<KubernetesObject>({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels, ownerReferences: [owner] } },
      ...{ spec: { containers: [{ name: 'c', image: 'i' }] } },
    } as KubernetesObject);
    const refusal = 'the operator may only write and delete';
    expect(await answer(operator.delete(deployment as ObjectName))).toContain(refusal);
    expect(await answer(operator.delete(worker as ObjectName))).toContain(refusal);
    const mine = { ...metadata, name: 'mine-others' };
    await admin.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: mine });
    expect(await answer(applied(changed(named('ConfigMap'), set({ name: mine.name }, 'metadata'))))).toContain(refusal);
  });

  it('deletes jobs only that are over and say so', async () => {
    const gone = async (spec: object, status?: object) => {
      const created = await admin.create(trainingJob('over', spec));
      if (status) {
        const body = { ...created, status };
        const place = { group: 'lockstep.dev', version: 'v1alpha1', plural: 'trainingjobs', namespace, name: 'over' };
        await admin.customObjects.replaceNamespacedCustomObjectStatus({ ...place, body });
      }
      const found = await answer(operator.delete(created as ObjectName));
      await admin.delete(created as ObjectName);
      return found;
    };
    const succeeded = { state: 'Succeeded', conditions: [] };
    const refusal = 'the operator may only delete TrainingJobs that are over';
    expect(await gone({ ttlSecondsAfterFinished: 1 })).toContain(refusal);
    expect(await gone({ ttlSecondsAfterFinished: 1 }, { ...succeeded, state: 'Running' })).toContain(refusal);
    expect(await gone({}, succeeded)).toContain(refusal);
    expect(await gone({ ttlSecondsAfterFinished: 1 }, succeeded)).toBe('done');
  });

  it('writes events about jobs, and its own lease, and no others', async () => {
    const event = (kind: string, component: string) =>
      dryRun({
        ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'e', namespace } },
        ...{ involvedObject: { kind, namespace, name: 'x' }, source: { component } },
        ...{ reason: 'R', message: 'm', type: 'Normal' },
      } as KubernetesObject);
    expect(await answer(event('TrainingJob', 'lockstep-operator'))).toBe('done');
    expect(await answer(event('Pod', 'lockstep-operator'))).toContain('its own events');
    expect(await answer(event('TrainingJob', 'kubelet'))).toContain('its own events');
    const lease = (name: string) =>
      dryRun({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace: operatorNamespace } });
    expect(await answer(lease('lockstep-operator'))).toBe('done');
    expect(await answer(lease('kube-scheduler'))).toContain('its own lease');
  });

  it('leaves what others do alone', async () => {
    for (const [, change] of wrongPods.slice(0, 4)) expect(await answer(dryRun(podWith(change), admin))).toBe('done');
  });

  it('may make any worker once the binding for workers is removed, and still no other coordinator', async () => {
    const privileged = set({ hostPID: true });
    const binding = {
      ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding' },
      metadata: { name: 'lockstep-operator-workers' },
    };
    await admin.delete(binding);
    await until(async () => (await answer(dryRun(deploymentWith(privileged)))) === 'done', 'any worker to be taken');
    expect(await answer(dryRun(podWith(privileged)))).toContain('lockstep-operator-coordinators');
  });

  it('serves namespaces with rights in those alone', async () => {
    for (const name of ['team-a', 'team-b']) {
      await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      const account = { name: 'default', namespace: name };
      await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
    }
    await installOperator(cluster, namespacedManifests);
    const rbac = 'rbac.authorization.k8s.io/v1';
    await admin.delete({ apiVersion: rbac, kind: 'ClusterRoleBinding', metadata: { name: 'lockstep-operator' } });
    await until(async () => (await answer(operator.list('v1', 'Pod', namespace))) !== 'done', 'rights to end');
    const served = ['--namespace', 'team-a', '--namespace', 'team-b'];
    const running = await OperatorProcess.start(await operatorKubeconfig(cluster), served);
    try {
      for (const team of ['team-a', 'team-b', namespace]) await admin.create(trainingJob('served', {}, team));
      const isMade = (team: string) => async () =>
        (await admin.list('apps/v1', 'Deployment', team)).some(({ metadata }) => metadata?.name === 'served-worker');
      await until(isMade('team-a'), 'workers in team-a');
      await until(isMade('team-b'), 'workers in team-b');
      expect(await isMade(namespace)()).toBe(false);
      expect(await running.metric('lockstep_operator_jobs')).toBe(2);
    } finally {
      await running.end();
    }
    for (const object of [named('ConfigMap'), named('Pod')]) {
      expect(await answer(dryRun(object))).toMatch(
        /cannot (create|patch) resource .* in the namespace \\?"default\\?"/,
      );
    }
  });
});
