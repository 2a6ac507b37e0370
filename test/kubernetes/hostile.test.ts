import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1ConfigMap, V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { builtinTopology } from '../../job/models.js';
import type { ApiClient } from './api-client.js';
import { missing } from './assets.js';
import { Cluster } from './cluster.js';
import { hostileJob, hostileKinds } from './hostile-jobs.js';
import { kubectlMissing } from './kubectl.js';
import { installOperator, operatorKubeconfig, OperatorProcess, trainingJobCrd } from './operator-process.js';
import { jobName, patchJob, trainingJob } from './training-job.js';

const skipped = missing ?? kubectlMissing;
const limitMs = 60_000;
const patient = ['--lease-seconds', '60'];
/** As in the operator's manifest. */
const nodeArgs = ['--max-old-space-size=160', '--max-semi-space-size=4'];
const residentBytes = 250e6;

const title =
  'the operator and hostile TrainingJobs (needs a Kubernetes control plane in KUBEBUILDER_ASSETS and kubectl)';

describe.skipIf(skipped !== undefined)(title, () => {
  let cluster: Cluster;
  let client: ApiClient;
  let operator: OperatorProcess;
  const start = async () => {
    operator = await OperatorProcess.start(await operatorKubeconfig(cluster), patient, nodeArgs);
    await operator.untilLeading(limitMs);
  };
  beforeAll(async () => {
    cluster = await Cluster.start({ crds: [trainingJobCrd], controllers: false });
    client = cluster.client();
    await installOperator(cluster);
    for (const name of ['hostile', 'honest']) {
      await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
    }
    await start();
  });
  afterAll(async () => {
    await operator?.end();
    await cluster?.close();
  });

  const untilPod = (job: string) => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${job}-coordinator-1`, namespace: 'honest' } };
    return client.until<V1Pod>(pod, (found) => found !== undefined, 'a coordinator', limitMs);
  };
  const untilStatus = async (name: string, namespace: string) => {
    const holds = (job: TrainingJob | undefined) => job?.status !== undefined;
    return (await client.until<TrainingJob>(jobName(name, namespace), holds, 'a status', limitMs))!.status!;
  };
  const resident = () => {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${operator.pid}/status`, 'utf8'));
    return Number(found![1]) * 1024;
  };
  const names = () => [0, 1].flatMap((round) => hostileKinds.map((_, kind) => round * hostileKinds.length + kind));

  test('each gets a status, those above a limit Failed with that limit; a job of another namespace starts', async () => {
    for (const index of names()) await client.create(hostileJob(index, 'hostile'));
    await client.create(trainingJob('honest', {}, 'honest'));
    await untilPod('honest');
    const states: Record<string, string> = {};
    for (const [kind, [name]] of hostileKinds.entries()) {
      const { metadata } = hostileJob(kind, 'hostile');
      const { state, message } = await untilStatus(metadata.name!, 'hostile');
      states[name] = state === 'Failed' ? `Failed: ${message?.slice(0, 60)}` : state;
    }
    expect(states).toMatchObject({
      'topology-long': 'Pending',
      'topology-deep': 'Pending',
      labels: 'Pending',
      'template-long': 'Failed: spec: expected at most 32768 bytes of JSON and 24 levels wit',
      'template-deep': 'Failed: spec: expected at most 32768 bytes of JSON and 24 levels wit',
      title: 'Failed: job spec: 1 problem\n  model: expected a title for the topolo',
    });
    expect(resident()).toBeLessThan(residentBytes);
  });

  test("specs that are together larger than the cache don't fill the memory, and each job is still acted upon", async () => {
    const env = Array.from({ length: 7 }, (_, n) => ({ name: `V${n}`, value: `€${'x'.repeat(4000)}` }));
    const template = { spec: { containers: [{ name: 'worker', env }] } };
    const count = 700;
    const create = async (from: number) => {
      for (let index = from; index < count; index += 8) {
        await client.create(trainingJob(`large-${index}`, { suspend: true, workers: { template } }, 'hostile'));
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, from) => create(from)));
    expect((await untilStatus(`large-${count - 1}`, 'hostile')).state).toBe('Suspended');
    await patchJob(client, 'large-0', { suspend: false }, 'hostile');
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'large-0-coordinator-1', namespace: 'hostile' } };
    await client.until<V1Pod>(pod, (found) => found !== undefined, 'a coordinator', limitMs);
    await client.create(trainingJob('besides', {}, 'honest'));
    await untilPod('besides');
    expect(resident()).toBeLessThan(residentBytes);
  });

  test('an operator that starts with all of them present becomes leader, and starts another job', async () => {
    await operator.end();
    await start();
    await client.create(trainingJob('later', {}, 'honest'));
    await untilPod('later');
    expect(resident()).toBeLessThan(residentBytes);
  });

  test('a topology is a file next to the spec, as it was written, with a job that a shell script wrote', async () => {
    const topology = JSON.stringify(builtinTopology('mlp', [32, 32, 3], 10));
    writeFileSync(join(cluster.directory, 'net.json'), topology);
    const head = 'apiVersion: lockstep.dev/v1alpha1\nkind: TrainingJob\nmetadata: { name: net, namespace: honest }\n';
    writeFileSync(join(cluster.directory, 'job.yaml'), `${head}spec:\n  preset: cluster-cnn3\n  model: net\n`);
    // As in docs/guides/kubernetes.md.
    const job = "{ cat job.yaml; echo '  topology: |-'; sed 's/^/    /' net.json; }";
    const options = { cwd: cluster.directory, env: { ...process.env, KUBECONFIG: cluster.kubeconfig } };
    execFileSync('sh', ['-c', `${job} | kubectl apply --server-side -f -`], { ...options, timeout: limitMs });
    await untilPod('net');
    const config = await client.get<V1ConfigMap>({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'net-job', namespace: 'honest' },
    });
    expect(Object.keys(config.data!).sort()).toEqual(['job.yaml', 'net.json']);
    expect(config.data!['net.json']).toBe(topology);
    expect(config.data!['job.yaml']).toContain('model: ./net.json');
  });

  test('a topology that is no text, or too long, is rejected by the API server', async () => {
    const refused = (topology: unknown) =>
      client.create(trainingJob('wrong', { topology, model: 'net' } as TrainingJob['spec'], 'honest'));
    await expect(refused({ class_name: 'Model' })).rejects.toThrow(/spec.topology.*must be of type string/s);
    await expect(refused('x'.repeat(512 * 1024 + 1))).rejects.toThrow(/Too long.*524288/s);
  });
});
