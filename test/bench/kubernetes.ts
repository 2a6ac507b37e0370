// Time until a new worker pod contributes to a step, on a real control plane whose node runs pods as processes.
// Environment: ROUNDS (11). Needs KUBEBUILDER_ASSETS, kubectl and `npm run build`.
import { join } from 'node:path';
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { Cluster } from '../kubernetes/cluster.js';
import { componentPods, contributionTimes, workersOfSteps } from '../kubernetes/contribution.js';
import { kubectl } from '../kubernetes/kubectl.js';
import { LocalNode } from '../kubernetes/node/local-node.js';
import { operatorManifests, trainingJobCrd } from '../kubernetes/operator-process.js';
import { jobName, patchJob, trainingJob } from '../kubernetes/training-job.js';
import { machine, quantile } from './stats.mjs';

const rounds = Number(process.env['ROUNDS'] ?? 11);
const limitMs = 120_000;
const name = 'bench';
const job = trainingJob(name, {
  epochs: 2_000,
  data: { dataset: 'synthetic', limit: 2_000 },
  evaluation: { everyEpochs: 0 },
});

const cluster = await Cluster.start({ crds: [trainingJobCrd] });
const client = cluster.client();
const node = await LocalNode.start(cluster);
try {
  await kubectl(cluster.kubeconfig, 'apply', '--server-side', '--force-conflicts', '-k', operatorManifests);
  await client.create(job);
  const steps = join(await claimFolder(), 'run', 'steps.csv');
  await settle(1);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const view = { client, node, job: name, steps };
    const before = new Set((await componentPods(view, 'worker')).map(({ metadata }) => metadata!.name!));
    const fromStep = workersOfSteps(steps).length;
    await patchJob(client, name, { workers: { replicas: 2 } });
    times.push(...(await contributionTimes(view, { before, count: 1, fromStep, limitMs })));
    await settle(2);
    await patchJob(client, name, { workers: { replicas: 1 } });
    await settle(1);
  }
  const f = (q: number) => (quantile(times, q) / 1000).toFixed(2);
  console.log(`${machine()}\n`);
  console.log('| New worker | n | median (s) | quartiles (s) | worst (s) | bar (s) |');
  console.log('| --- | --: | --: | --: | --: | --: |');
  console.log(`| pod runs → contributes | ${rounds} | ${f(0.5)} | ${f(0.25)} to ${f(0.75)} | ${f(1)} | 3 |`);
} finally {
  await node.close();
  await cluster.close();
}

/** Waits until there are that many worker pods and the coordinator counts all of them as ready. */
async function settle(workers: number): Promise<void> {
  const settled = (object: TrainingJob | undefined) =>
    object?.status?.state === 'Running' && object.status.workers?.summary === `${workers}/${workers}`;
  await client.until<TrainingJob>(jobName(name), settled, `training with ${workers}`, limitMs);
  const deadline = performance.now() + limitMs;
  while ((await componentPods({ client, job: name }, 'worker')).length !== workers) {
    if (performance.now() > deadline) throw new Error(`wait: expected ${workers} worker pods`);
  }
}

async function claimFolder(): Promise<string> {
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: `${name}-run`, namespace: 'default' },
  };
  const bound = (object: V1PersistentVolumeClaim | undefined) => object?.status?.phase === 'Bound';
  const { spec } = (await client.until<V1PersistentVolumeClaim>(claim, bound, 'bound', limitMs))!;
  const volume = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: spec!.volumeName! } };
  return (await client.get<V1PersistentVolume>(volume)).spec!.hostPath!.path;
}
