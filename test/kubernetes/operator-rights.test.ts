import { KubeConfig, type KubernetesObject, PatchStrategy, type V1Deployment } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planJob } from '../../operator/plan/plan-job.js';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { noonMs, observe } from '../operator/objects.js';
import { ApiClient, type ObjectName } from './api-client.js';
import { missing } from './assets.js';
import { Cluster } from './cluster.js';
import { at, changed, type Change, set, wrongMeta, wrongOthers, wrongPodMeta, wrongPods } from './forbidden.js';
import { kubectlMissing } from './kubectl.js';
import {
  installOperator,
  namespacedManifests,
  operatorKubeconfig,
  operatorNamespace,
  OperatorProcess,
  trainingJobCrd,
} from './operator-process.js';
import { jobName, trainingJob } from './training-job.js';

const skipped = missing ?? kubectlMissing;
const namespace = 'default';
const limitMs = 30_000;
/** A job whose workers ask for access to their node. */
const ofNode = { spec: { hostPID: true } };

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`wait: expected ${what} in ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const title = "the operator's account (needs a Kubernetes control plane in KUBEBUILDER_ASSETS and kubectl)";

describe.skipIf(skipped !== undefined)(title, () => {
  let cluster: Cluster;
  let admin: ApiClient;
  let operator: ApiClient;
  let job: TrainingJob;
  /** All objects that the operator creates for a job, by kind; one if there are several. */
  const objects = new Map<string, KubernetesObject>();
  const named = (kind: string) => objects.get(kind)!;

  beforeAll(async () => {
    cluster = await Cluster.start({ crds: [trainingJobCrd], controllers: false });
    admin = cluster.client();
    await installOperator(cluster);
    for (const name of ['default', 'powerful']) {
      await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
    }
    await admin.apply({
      ...{ apiVersion: 'v1', kind: 'ServiceAccount' },
      metadata: { name: 'default', namespace: 'kube-system' },
    });
    const config = new KubeConfig();
    config.loadFromFile(await operatorKubeconfig(cluster));
    operator = new ApiClient(config);
    job = await admin.create(trainingJob('mine'));
    // Defaults that the plan relies on are filled in.
    const { actions } = planJob(observe(job), noonMs);
    for (const action of actions) if (action.type === 'create') objects.set(action.object.kind, action.object);
    const { metadata } = named('ConfigMap');
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { ...metadata, name: 'mine-token' },
    };
    objects.set('Secret', secret);
    await untilPoliciesHold();
  });
  afterAll(async () => cluster?.close());

  /** The API server applies a policy shortly after it was written. */
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
  /** Outcome of a request: done, or the reason for its rejection. */
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
    const deployment = await operator.create(named('Deployment'));
    expect(await answer(applied(changed(named('Deployment'), set({ replicas: 2 }, 'spec'))))).toBe('done');
    await operator.delete(deployment as ObjectName);
    const pod = await operator.create(named('Pod'));
    await operator.delete(pod as ObjectName, { graceSeconds: 0 });
  });

  it('accepts pods of jobs that use everything allowed', async () => {
    const spec = {
      nats: { url: 'tls://n:4222', credentials: { secretName: 'lockstep.nats' } },
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
      // Without an owner, none of the pods' mounts belong to their job.
      expect(await answer(dryRun(changed(named(kind), change)))).toMatch(
        /'lockstep-operator-(objects|pods)' .* denied/,
      );
    });
  });

  it.each(wrongPodMeta)('makes no pod, and no Deployment of pods, with %s', async (_, change) => {
    const pod = changed(named('Pod'), (object) => change(at(object, 'metadata')));
    const deployment = changed(named('Deployment'), (object) => change(at(object, 'spec', 'template', 'metadata')));
    for (const object of [pod, deployment]) {
      expect(await answer(dryRun(object))).toContain("the operator's pods must have no other labels and annotations");
    }
  });

  it.each(wrongPods)('makes no pod, and no Deployment of pods, with %s', async (_, change) => {
    const refused = /ValidatingAdmissionPolicy 'lockstep-operator-pods' with binding '([-a-z]+)' denied request/;
    expect(refused.exec(await answer(dryRun(podWith(change))))?.[1]).toBe('lockstep-operator-coordinators');
    expect(refused.exec(await answer(dryRun(deploymentWith(change))))?.[1]).toBe('lockstep-operator-workers');
  });

  it.each(wrongOthers)('makes no %s that is, or is for, %s', async (kind, _, change) => {
    expect(await answer(dryRun(changed(named(kind), change)))).toContain('the operator may only');
  });

  it('makes one Secret that belongs to no job: its own key, in its own namespace', async () => {
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

  it('changes and deletes nothing of others, even with its label', async () => {
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const others = { app: 'x' };
    const metadata = { name: 'others', namespace };
    const deployment = await admin.create<KubernetesObject>({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      ...{ spec: { selector: { matchLabels: others }, template } },
    });
    const labels = named('Pod').metadata?.labels ?? {};
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true };
    const worker = await admin.create<KubernetesObject>({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels, ownerReferences: [owner] } },
      ...{ spec: { containers: [{ name: 'c', image: 'i' }] } },
    });
    const refusal = 'the operator may only write and delete';
    expect(await answer(operator.delete(deployment as ObjectName))).toContain(refusal);
    expect(await answer(operator.delete(worker as ObjectName))).toContain(refusal);
    const mine = { ...metadata, name: 'mine-others' };
    await admin.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: mine });
    expect(await answer(applied(changed(named('ConfigMap'), set({ name: mine.name }, 'metadata'))))).toContain(refusal);
  });

  it('keeps the Secrets of workers that an operator before 0.5.5 made', async () => {
    const before = changed(named('Deployment'), (deployment) => {
      set({ name: 'mine-before' }, 'metadata')(deployment);
      const [tls] = at(deployment, 'spec', 'template', 'spec')['volumes'] as { secret: { secretName: string } }[];
      tls!.secret.secretName = 'mine-worker-tls';
    });
    expect(await answer(dryRun(before))).toContain('lockstep-operator-workers');
    await admin.create(before);
    expect(await answer(applied(changed(before, set({ replicas: 2 }, 'spec'))))).toBe('done');
  });

  it('keeps labels that others have added to its ConfigMap, and adds none', async () => {
    const wanted = changed(named('ConfigMap'), set({ name: 'mine-labelled' }, 'metadata'));
    await admin.create(changed(wanted, set({ team: 'vision' }, 'metadata', 'labels')));
    expect(await answer(applied(changed(wanted, set({ data: { a: 'b' } }))))).toBe('done');
    const labelled = changed(wanted, set({ grafana_dashboard: '1' }, 'metadata', 'labels'));
    expect(await answer(applied(labelled))).toContain('without labels and annotations of others');
    const relabelled = changed(wanted, set({ team: 'audio' }, 'metadata', 'labels'));
    expect(await answer(applied(relabelled))).toContain('without labels and annotations of others');
  });

  it('deletes only finished jobs', async () => {
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
    const refusal = 'the operator may only delete TrainingJobs that have finished';
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
      });
    expect(await answer(event('TrainingJob', 'lockstep-operator'))).toBe('done');
    expect(await answer(event('Pod', 'lockstep-operator'))).toContain('its own events');
    expect(await answer(event('TrainingJob', 'kubelet'))).toContain('its own events');
    const lease = (name: string) =>
      dryRun({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace: operatorNamespace },
      });
    expect(await answer(lease('lockstep-operator'))).toBe('done');
    expect(await answer(lease('kube-scheduler'))).toContain('its own lease');
  });

  it('leaves the actions of others alone', async () => {
    for (const [, change] of wrongPods.slice(0, 4)) expect(await answer(dryRun(podWith(change), admin))).toBe('done');
  });

  it('may make any worker once the binding for workers is removed, but still no other coordinator', async () => {
    const privileged = set({ hostPID: true });
    const binding = {
      ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding' },
      metadata: { name: 'lockstep-operator-workers' },
    };
    await admin.delete(binding);
    await until(async () => (await answer(dryRun(deploymentWith(privileged)))) === 'done', 'any worker to be taken');
    expect(await answer(dryRun(podWith(privileged)))).toContain('lockstep-operator-coordinators');
    const running = await OperatorProcess.start(await operatorKubeconfig(cluster), ['--allow-any-template']);
    try {
      await admin.create(trainingJob('any', { workers: { template: ofNode } }));
      const name = { name: 'any-worker', namespace };
      const isOfNode = (found?: V1Deployment) => found?.spec?.template.spec?.hostPID === true;
      await admin.until(
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: name },
        isOfNode,
        'of the node',
        limitMs,
      );
    } finally {
      await running.end();
    }
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
      await admin.create(trainingJob('of-node', { workers: { template: ofNode } }, 'team-a'));
      const isRefused = (found?: TrainingJob) =>
        found?.status?.state === 'Failed' && /workers\.template\.spec\.hostPID: /.test(found.status.message ?? '');
      await admin.until(jobName('of-node', 'team-a'), isRefused, 'refused', limitMs);
      expect(await running.metric('lockstep_operator_jobs')).toBe(3);
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
