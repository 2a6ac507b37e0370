import { KubeConfig, type V1Deployment, type V1Lease } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { keySecretName } from '../../operator/kube/operator-key.js';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { ApiClient } from './api-client.js';
import { missing } from './assets.js';
import { Cluster } from './cluster.js';
import { FreezableProxy } from './freezable-proxy.js';
import { kubectlMissing } from './kubectl.js';
import {
  installOperator,
  operatorKubeconfig,
  operatorNamespace,
  OperatorProcess,
  trainingJobCrd,
} from './operator-process.js';
import { countRequests } from './requests.js';
import { jobName, listChildren, namesOf, patchJob, trainingJob } from './training-job.js';

const skipped = missing ?? kubectlMissing;
const limitMs = 30_000;
/** The API server starts slowly on a busy machine, and the operator must not give up its lease meanwhile. */
const patient = ['--lease-seconds', '60'];
/** Time in which nothing may happen. */
const quietMs = 1_500;

/** All objects of a job `name` with `workers` workers. */
const childrenOf = (name: string) => [
  `ConfigMap/${name}-job`,
  `Deployment/${name}-worker`,
  `NetworkPolicy/${name}-coordinator`,
  `NetworkPolicy/${name}-worker`,
  `PersistentVolumeClaim/${name}-run`,
  `Pod/${name}-coordinator-1`,
  `PodDisruptionBudget/${name}-coordinator`,
  `PodDisruptionBudget/${name}-worker`,
  `Secret/${name}-coordinator-tls-UID-KEY-0`,
  `Secret/${name}-token-UID-KEY-0`,
  `Secret/${name}-worker-tls-UID-KEY-0`,
  `Service/${name}-coordinator`,
];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(skipped !== undefined)(
  'the operator and a real API server (needs a Kubernetes control plane in KUBEBUILDER_ASSETS and kubectl)',
  () => {
    let cluster: Cluster;
    let client: ApiClient;
    const operators: OperatorProcess[] = [];
    beforeAll(async () => {
      cluster = await Cluster.start({ crds: [trainingJobCrd] });
      client = cluster.client();
      await installOperator(cluster);
    });
    afterEach(async () => {
      await Promise.all(operators.splice(0).map((operator) => operator.end()));
    });
    afterAll(async () => cluster?.close());

    const start = async (kubeconfig?: string, ...args: string[]) => {
      const operator = await OperatorProcess.start(kubeconfig ?? (await operatorKubeconfig(cluster)), args);
      operators.push(operator);
      return operator;
    };
    const ofOperator = () => cluster.requests().filter(({ agent }) => agent.startsWith('lockstep-operator'));
    /** Requests of the operator about jobs and their objects, without its lease, its key and watches. */
    const work = () =>
      ofOperator().filter(
        ({ resource, verb, name }) => resource !== 'leases' && verb !== 'watch' && name !== keySecretName,
      );
    const children = async (name: string) => {
      const { metadata } = await client.get<TrainingJob>(jobName(name));
      return listChildren(client, 'default', `lockstep.dev/job-uid=${metadata.uid}`);
    };
    /** Everything but the workers' pods, which the Deployment creates. */
    const made = async (name: string) => {
      const { metadata } = await client.get<TrainingJob>(jobName(name));
      const credentials = new RegExp(`-${metadata.uid!.slice(0, 8)}-[0-9a-f]{8}-0$`);
      return namesOf(await children(name))
        .map((each) => each.replace(credentials, '-UID-KEY-0'))
        .filter((each) => !/-worker-[^t]/.test(each));
    };
    const untilState = (name: string, state: string) =>
      client.until<TrainingJob>(jobName(name), (job) => job?.status?.state === state, state, limitMs);
    const untilWorkers = (name: string, replicas: number) => {
      const deployment = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: `${name}-worker`, namespace: 'default' },
      };
      const has = (object: V1Deployment | undefined) => object?.spec?.replicas === replicas;
      return client.until<V1Deployment>(deployment, has, `of ${replicas} workers`, limitMs);
    };
    const untilMade = async (name: string) => {
      await untilWorkers(name, (await client.get<TrainingJob>(jobName(name))).spec.workers?.replicas ?? 1);
    };

    test('makes all that a job needs, with the rights of its manifests; then it makes no more requests', async () => {
      await start();
      await client.create(trainingJob('first', { workers: { replicas: 2 } }));
      await untilMade('first');
      await untilState('first', 'Pending');
      expect(await made('first')).toEqual(childrenOf('first'));
      const { metadata } = await client.get<TrainingJob>(jobName('first'));
      for (const child of await children('first')) {
        if (/-worker-[^t]/.test(child.metadata?.name ?? '')) continue;
        expect(child.metadata?.ownerReferences).toEqual([
          expect.objectContaining({ uid: metadata.uid, controller: true, blockOwnerDeletion: false }),
        ]);
      }
      expect(work().filter(({ code }) => code === 403)).toEqual([]);
      // The status counts both workers' pods, which nothing runs here, before the cluster is quiet.
      await client.until<TrainingJob>(
        jobName('first'),
        (job) => job?.status?.workers?.replicas === 2,
        '2 workers',
        limitMs,
      );
      await sleep(quietMs);
      const before = work().length;
      await sleep(quietMs);
      expect(countRequests(work().slice(before))).toEqual({});
    });

    test('its token reads, changes or deletes no Secret, except for reading its own key', async () => {
      const config = new KubeConfig();
      config.loadFromFile(await operatorKubeconfig(cluster));
      const operator = new ApiClient(config);
      const { core } = operator;
      const { items } = await client.core.listNamespacedSecret({ namespace: 'default' });
      const name = items.find(({ metadata }) => metadata?.name?.startsWith('first-token-'))!.metadata!.name!;
      const neighbour = { metadata: { name: 'neighbour' }, stringData: { password: 'hush' } };
      await client.core.createNamespacedSecret({ namespace: operatorNamespace, body: neighbour });
      const secret = { apiVersion: 'v1', kind: 'Secret' };
      const body = { ...secret, metadata: { name } };
      const ofJob = { namespace: 'default', name };
      const ownKey = { namespace: operatorNamespace, name: keySecretName };
      const attempts: Record<string, () => Promise<unknown>> = {
        'list everywhere': () => core.listSecretForAllNamespaces(),
        'list in a namespace': () => core.listNamespacedSecret({ namespace: 'default' }),
        'list in its own': () => core.listNamespacedSecret({ namespace: operatorNamespace }),
        'get of a job’s': () => core.readNamespacedSecret(ofJob),
        'get of another in its namespace': () => core.readNamespacedSecret({ ...ownKey, name: 'neighbour' }),
        'get by its key’s name elsewhere': () => core.readNamespacedSecret({ ...ownKey, namespace: 'default' }),
        'apply over a job’s': () => operator.apply({ ...secret, metadata: { name, namespace: 'default' } }),
        'update of a job’s': () => core.replaceNamespacedSecret({ ...ofJob, body }),
        'delete of a job’s': () => core.deleteNamespacedSecret(ofJob),
        'delete of all': () => core.deleteCollectionNamespacedSecret({ namespace: 'default' }),
        'update of its key': () => core.replaceNamespacedSecret({ ...ownKey, body }),
        'delete of its key': () => core.deleteNamespacedSecret(ownKey),
      };
      for (const [what, attempt] of Object.entries(attempts)) {
        await expect(attempt(), what).rejects.toMatchObject({ code: 403 });
      }
      const { data } = await core.readNamespacedSecret(ownKey);
      expect(Buffer.from(data!['key']!, 'base64')).toHaveLength(32);
      // Its actions so far.
      const used = ofOperator().filter(({ resource }) => resource === 'secrets');
      expect(new Set(used.map(({ verb, name }) => (verb === 'get' ? `get ${name}` : verb)))).toEqual(
        new Set([`get ${keySecretName}`, 'create']),
      );
    });

    test('a change of the number of workers takes one request for the workers, and the job’s status', async () => {
      const before = work().length;
      await start();
      await patchJob(client, 'first', { workers: { replicas: 5 } });
      await untilWorkers('first', 5);
      await client.until<TrainingJob>(
        jobName('first'),
        (job) => job?.status?.workers?.replicas === 5,
        '5 workers',
        limitMs,
      );
      const counts = countRequests(
        work()
          .slice(before)
          .filter(({ verb }) => verb !== 'list'),
      );
      expect(counts['patch deployments']).toBe(1);
      expect(Object.keys(counts).sort()).toEqual(['patch deployments', 'update trainingjobs/status']);
      expect(counts['update trainingjobs/status']).toBeLessThanOrEqual(4);
    });

    test('a name that belongs to another owner is left alone, and the job continues once it is free', async () => {
      await start();
      const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'taken-job', namespace: 'default' } };
      await client.create({ ...other, data: { mine: 'yes' } });
      await client.create(trainingJob('taken'));
      const told = (job: TrainingJob | undefined) => /taken-job/.test(job?.status?.message ?? '');
      await client.until<TrainingJob>(jobName('taken'), told, 'told of the name', limitMs);
      expect(await client.get(other)).toMatchObject({ data: { mine: 'yes' } });
      await client.delete(other);
      await untilMade('taken');
      expect(await made('taken')).toEqual(childrenOf('taken'));
    });

    test('a job that is deleted takes all its objects with it, even while no operator runs', async () => {
      await client.delete(jobName('first'));
      await client.delete(jobName('taken'));
      const deadline = performance.now() + limitMs;
      while ((await listChildren(client)).length > 0 && performance.now() < deadline) await sleep(200);
      // No kubelet removes pods that wait for their grace period.
      expect(namesOf(await listChildren(client))).toEqual([]);
    });

    test('continues after its connections were cut, were frozen, and the API server was killed', async () => {
      const proxy = new FreezableProxy(Number(new URL(cluster.server).port));
      const server = await proxy.start();
      try {
        const operator = await start(await operatorKubeconfig(cluster, server), ...patient, '--watch-silence', '3');
        proxy.cut();
        await client.create(trainingJob('cut'));
        await untilMade('cut');
        proxy.freeze();
        await client.create(trainingJob('frozen'));
        await untilMade('frozen');
        expect(operator.log).toContain('expected a bookmark within 3000 ms, got no data');
        await cluster.killApiServer();
        await sleep(500);
        await cluster.startApiServer();
        await client.create(trainingJob('killed'));
        await untilMade('killed');
        expect(await operator.metric('lockstep_operator_watch_restarts_total')).toBeGreaterThan(8);
        // While it can still release its lease.
        await operator.end();
      } finally {
        proxy.close();
      }
    });

    test('of two operators one acts; the other takes over when it is killed, and at once when it is stopped', async () => {
      const kubeconfig = await operatorKubeconfig(cluster);
      const name = { name: 'lockstep-operator', namespace: operatorNamespace };
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: name };
      const first = await start(kubeconfig, '--lease-seconds', '6');
      await first.untilLeading(limitMs);
      const second = await start(kubeconfig, '--lease-seconds', '6');
      await sleep(quietMs);
      expect([await first.isLeading(), await second.isLeading()]).toEqual([true, false]);

      await first.end('SIGKILL');
      await client.create(trainingJob('orphaned'));
      await untilMade('orphaned');
      expect(await second.isLeading()).toBe(true);

      const third = await start(kubeconfig, '--lease-seconds', '30');
      const stoppedAt = performance.now();
      await second.end('SIGTERM');
      await client.create(trainingJob('handed-over'));
      await untilMade('handed-over');
      // Far less than the 30 s after which a silent holder's lease expires.
      expect(performance.now() - stoppedAt).toBeLessThan(20_000);
      expect(await third.isLeading()).toBe(true);
      const { spec } = await client.get<V1Lease>(lease);
      expect(spec?.leaseTransitions).toBeGreaterThanOrEqual(2);
    });
  },
);
