import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1ConfigMap, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keySecretName } from '../../operator/kube/operator-key.js';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { Command, isAlive } from '../e2e/lockstep.js';
import { until } from '../until.js';
import type { ApiClient } from './api-client.js';
import { missing } from './assets.js';
import { componentPods, contributionTimes, workersOfSteps } from './contribution.js';
import { Cluster } from './cluster.js';
import { kubectl, kubectlMissing, parseTable } from './kubectl.js';
import { LocalNode } from './node/local-node.js';
import { operatorManifests, trainingJobCrd } from './operator-process.js';
import { Sightings } from './sightings.js';
import { findWrongStates, shownStates } from './state-oracle.js';
import { jobName, listChildren, namesOf, trainingJob } from './training-job.js';

const skipped = missing ?? kubectlMissing;
const name = 'digits';
const limitMs = 100_000;
/** How long a State may still be shown after it has ceased to be true: the coordinator is polled once per second. */
const lagMs = 5_000;
/** Two epochs of 100 steps: long enough for all events of the test. */
const job = trainingJob(name, {
  epochs: 2,
  batchPerShard: 20,
  evaluation: { batch: 100 },
  data: { dataset: 'synthetic', limit: 2_000 },
});

const title =
  'a training job, from kubectl apply to its end (needs a Kubernetes control plane in KUBEBUILDER_ASSETS and kubectl)';

describe.skipIf(skipped !== undefined)(title, () => {
  let cluster: Cluster;
  let client: ApiClient;
  let node: LocalNode;
  let sightings: Sightings;
  let local: Command | undefined;

  beforeAll(async () => {
    cluster = await Cluster.start({ crds: [trainingJobCrd] });
    client = cluster.client();
    node = await LocalNode.start(cluster);
    sightings = new Sightings(cluster, name);
    await sightings.start();
    // The operator's objects must be admitted in this namespace.
    await run('label', 'namespace', 'default', 'pod-security.kubernetes.io/enforce=restricted');
    await run('apply', '--server-side', '--force-conflicts', '-k', operatorManifests);
    await run('-n', 'lockstep-system', 'rollout', 'status', 'deployment/lockstep-operator', '--timeout=30s');
  });
  afterAll(async () => {
    await local?.kill();
    await sightings?.stop();
    await node?.close();
    await cluster?.close();
  });

  const run = (...args: string[]) => kubectl(cluster.kubeconfig, ...args);
  const untilJob = async (condition: (status: NonNullable<TrainingJob['status']>) => boolean, what: string) => {
    const holds = (object: TrainingJob | undefined) => object?.status !== undefined && condition(object.status);
    return (await client.until<TrainingJob>(jobName(name), holds, what, limitMs))!.status!;
  };
  const row = async (...args: string[]) => parseTable(await run('get', 'tj', name, ...args))[0]!;
  /** Waits until `kubectl get tj` prints this. */
  const untilRow = async (expected: Record<string, string>) => {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const shown = await row();
      const matches = Object.entries(expected).every(([title, text]) => shown[title] === text);
      if (matches) return shown;
      if (performance.now() > deadline) expect(shown).toMatchObject(expected);
    }
  };
  const pods = (component: string) => componentPods({ client, job: name }, component);
  /** The run directory, on this machine. */
  const runFolder = async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: `${name}-run`, namespace: 'default' },
    };
    const bound = (object?: V1PersistentVolumeClaim) => object?.status?.phase === 'Bound';
    const { spec } = (await client.until<V1PersistentVolumeClaim>(claim, bound, 'bound', limitMs))!;
    const metadata = { name: spec!.volumeName! };
    const volume = await client.get<V1PersistentVolume>({ apiVersion: 'v1', kind: 'PersistentVolume', metadata });
    return join(volume.spec!.hostPath!.path, 'run');
  };

  it('is made by kubectl apply, and trains', async () => {
    writeFileSync(join(cluster.directory, 'job.json'), JSON.stringify(job));
    await run('apply', '-f', join(cluster.directory, 'job.json'));
    const folder = await runFolder();
    sightings.readLog(() => join(folder, 'log.jsonl'));
    // The same job without a cluster, for comparison; it competes for the cores, as other programs would.
    local = await startLocally();
    await untilJob(({ step = 0 }) => step > 0, 'at some step');
    const shown = await untilRow({ NAME: name, STATE: 'Running', EPOCH: '1', WORKERS: '1/1', RESTARTS: '0' });
    expect(shown['PROGRESS']).toMatch(/^\d+ %$/);
    expect(shown['LOSS']).toMatch(/^\d\.\d{4}$/);
    expect(shown['ETA']).toMatch(/^(\d+m)?\d+s$/);
    expect((await row('-o', 'wide'))['DEVICE']).toBe('cpu');
  });

  it('is scaled up in mid-epoch', async () => {
    const before = new Set((await pods('worker')).map(({ metadata }) => metadata!.name!));
    const steps = join(await runFolder(), 'steps.csv');
    await run('scale', `tj/${name}`, '--replicas=3');
    const times = await contributionTimes(
      { client, node, job: name, steps },
      { before, count: 2, fromStep: 0, limitMs },
    );
    console.log(`new worker: running → contributing ${times.map((ms) => `${(ms / 1000).toFixed(2)} s`).join(', ')}`);
    await untilRow({ STATE: 'Running', EPOCH: '1', WORKERS: '3/3' });
    expect((await run('get', `tj/${name}`, '-o', 'jsonpath={.spec.workers.replicas}')).trim()).toBe('3');
  });

  it('replaces a worker whose pod is deleted', async () => {
    const steps = join(await runFolder(), 'steps.csv');
    const [victim] = await pods('worker');
    await run('delete', 'pod', victim!.metadata!.name!, '--wait=false');
    await client.until<V1Pod>(podName(victim!), (pod) => pod === undefined, 'gone', limitMs);
    const made = workersOfSteps(steps).length;
    await until(() => workersOfSteps(steps).slice(made).includes(3), limitMs, 'a step of three workers');
    await untilRow({ STATE: 'Running', WORKERS: '3/3', RESTARTS: '0' });
  });

  it('is scaled down', async () => {
    await run('scale', `tj/${name}`, '--replicas=2');
    await untilRow({ STATE: 'Running', WORKERS: '2/2' });
  });

  it('keeps training when the operator’s key is lost, and says how to see its progress again', async () => {
    await run('-n', 'lockstep-system', 'delete', 'secret', keySecretName);
    await run('-n', 'lockstep-system', 'rollout', 'restart', 'deployment/lockstep-operator');
    const { state, message } = await untilJob(({ message = '' }) => message.includes('another operator key'), 'told');
    expect(state).toBe('Running');
    expect(message).toContain(`kubectl delete pod ${name}-coordinator-1`);
  });

  it("resumes when its coordinator's pod is deleted, with Secrets of the new key", async () => {
    const secretOfToken = async () => (await row('-o', 'custom-columns=NAME:.status.coordinator.credentials'))['NAME']!;
    const before = await secretOfToken();
    await run('delete', 'pod', `${name}-coordinator-1`, '--wait=false');
    await untilRow({ STATE: 'Running', WORKERS: '2/2', RESTARTS: '1' });
    const after = await secretOfToken();
    expect(after).not.toBe(before);
    const mounted = (await pods('worker')).map(({ spec }) => spec?.volumes?.find(({ name }) => name === 'token'));
    expect(new Set(mounted.map((volume) => volume?.secret?.secretName))).toEqual(new Set([`${name}-token-${after}`]));
  });

  it('is suspended after a checkpoint, holds nothing meanwhile, and resumes', async () => {
    await run('patch', `tj/${name}`, '--type=merge', '-p', '{"spec":{"suspend":true}}');
    const { step = 0 } = await untilJob(({ state }) => state === 'Suspended', 'suspended');
    expect([await pods('coordinator'), await pods('worker')]).toEqual([[], []]);
    await untilRow({ STATE: 'Suspended', WORKERS: '0/2', RESTARTS: '1', ETA: '' });
    await run('patch', `tj/${name}`, '--type=merge', '-p', '{"spec":{"suspend":false}}');
    await untilRow({ STATE: 'Running', WORKERS: '2/2', RESTARTS: '1' });
    const resumed = await untilJob((status) => (status.step ?? 0) > step, 'further');
    expect(resumed.restarts).toBe(1);
  });

  it('ends with the digest of a run without a cluster, and the State was right at any time', async () => {
    await untilJob(({ state }) => state === 'Succeeded', 'succeeded');
    const folder = await runFolder();
    const digest = finalDigest(folder);
    const { code, stdout, stderr } = await local!.ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`Final digest: ${digest}`);
    const shown = await row('-o', 'wide');
    expect(shown).toMatchObject({ STATE: 'Succeeded', EPOCH: '2', PROGRESS: '100 %', ETA: '', RESTARTS: '1' });
    expect(shown).toMatchObject({ DIGEST: digest, WORKERS: '0/2' });
    expect(shown['ACCURACY']).toMatch(/^\d+\.\d\d %$/);
    expect(existsSync(join(folder, 'report', 'index.html'))).toBe(true);

    expect(findWrongStates(sightings.all, lagMs)).toEqual([]);
    const states = shownStates(sightings.all).filter((state) => state !== 'WaitingForWorkers');
    const expected = [
      'Pending',
      'Running',
      'Restarting',
      'Running',
      'Suspending',
      'Suspended',
      'Pending',
      'Running',
      'Succeeded',
    ];
    expect(states).toEqual(expected);
  });

  it('is removed with all of its objects once its time to live is over', async () => {
    const folder = await runFolder();
    const left = (await pods('coordinator')).flatMap(({ metadata }) => node.pids(metadata!.name!));
    await run('patch', `tj/${name}`, '--type=merge', '-p', '{"spec":{"ttlSecondsAfterFinished":0}}');
    await client.until(jobName(name), (object) => object === undefined, 'gone', limitMs);
    const deadline = performance.now() + limitMs;
    for (;;) {
      const names = namesOf(await listChildren(client));
      if (names.length === 0 && !existsSync(folder)) break;
      if (performance.now() > deadline) expect(names).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(left.filter(isAlive)).toEqual([]);
  });

  async function startLocally(): Promise<Command> {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-job`, namespace: 'default' } };
    const { data } = await client.get<V1ConfigMap>(config);
    const [file, folder] = [join(cluster.directory, 'local.yaml'), join(cluster.directory, 'local-run')];
    writeFileSync(file, data!['job.yaml']!);
    return new Command(['train', file, '--workers', '1', '--run', folder]);
  }
});

function podName({ metadata }: V1Pod) {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: metadata!.name!, namespace: metadata!.namespace! } };
}

function finalDigest(folder: string): string {
  const lines = readFileSync(join(folder, 'digests.jsonl'), 'utf8').trim().split('\n');
  return (JSON.parse(lines.at(-1)!) as { digest: string }).digest;
}
