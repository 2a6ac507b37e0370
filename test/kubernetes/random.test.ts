import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { KubernetesObject } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import type { ApiClient } from './api-client.js';
import { missing } from './assets.js';
import { Cluster } from './cluster.js';
import { kubectlMissing } from './kubectl.js';
import { installOperator, operatorKubeconfig, OperatorProcess, trainingJobCrd } from './operator-process.js';
import { jobName, listChildren, namesOf, patchJob, trainingJob } from './training-job.js';

const skipped = missing ?? kubectlMissing;
/** Number of sequences of changes; all 100 take minutes. */
const sequences = Number(process.env['LOCKSTEP_SEQUENCES'] ?? 6);
const seed = Number(process.env['LOCKSTEP_SEED'] ?? 1);
/** Number of concurrent sequences, each with its own job. */
const atOnce = 6;
const actionsPerSequence = 12;
const longestPauseMs = 800;
/** Time from the operator's becoming leader to its being killed; the next one is then started. */
const killAfterMs = 1_500;
const lease = ['--lease-seconds', '2'];
const limitMs = 60_000;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const actions = ['create', 'scale', 'suspend', 'resume', 'delete', 'kill', 'fail', 'wait'] as const;

describe.skipIf(skipped !== undefined)(
  'random changes (needs a Kubernetes control plane in KUBEBUILDER_ASSETS and kubectl)',
  () => {
    let cluster: Cluster;
    let client: ApiClient;
    let kubeconfig: string;
    let operator: OperatorProcess | undefined;
    beforeAll(async () => {
      cluster = await Cluster.start({ crds: [trainingJobCrd] });
      client = cluster.client();
      await installOperator(cluster);
      kubeconfig = await operatorKubeconfig(cluster);
    });
    afterAll(async () => {
      await operator?.end();
      await cluster?.close();
    });

    const find = (name: string) => client.find<TrainingJob>(jobName(name));

    /** Applies one change to the job of a sequence; skips one that doesn't apply to its current state. */
    async function act(action: (typeof actions)[number], name: string, random: (max: number) => number): Promise<void> {
      const job = await find(name);
      if (action === 'create')
        return void (job ?? (await tolerate(client.create(trainingJob(name, { workers: { replicas: random(3) } })))));
      if (!job) return;
      if (action === 'scale') await tolerate(patchJob(client, name, { workers: { replicas: random(4) } }));
      else if (action === 'suspend') await tolerate(patchJob(client, name, { suspend: true }));
      else if (action === 'resume') await tolerate(patchJob(client, name, { suspend: false }));
      else if (action === 'delete') await client.delete(jobName(name));
      else if (action === 'kill' || action === 'fail') await strike(job, action);
      else await sleep(random(500));
    }

    /** Deletes the coordinator's pod, or makes it end like a failed process. */
    async function strike({ metadata }: TrainingJob, how: 'kill' | 'fail'): Promise<void> {
      const pods = await client.list('v1', 'Pod', 'default', `lockstep.dev/job-uid=${metadata.uid}`);
      const coordinator = pods.find((pod) => pod.metadata?.name?.includes('-coordinator-'));
      if (!coordinator) return;
      const name = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: coordinator.metadata!.name!, namespace: 'default' },
      };
      if (how === 'kill') return client.delete(name);
      const status = { phase: 'Failed', reason: 'Error' };
      const body = [{ op: 'replace', path: '/status', value: status }];
      await tolerate(client.core.patchNamespacedPodStatus({ name: name.metadata.name, namespace: 'default', body }));
    }

    async function runSequence(number: number): Promise<void> {
      const generator = xoroshiro128plus(seed * 1000 + number);
      const random = (max: number) => uniformInt(generator, 0, max);
      const name = `random-${number}`;
      await act('create', name, random);
      for (let index = 0; index < actionsPerSequence; index += 1) {
        await act(actions[random(actions.length - 1)]!, name, random);
        await sleep(random(longestPauseMs));
      }
    }

    test(`after ${sequences} random sequences with a killed operator no object is left without its job`, async () => {
      let over = false;
      let kills = 0;
      let end = () => {};
      const whenOver = new Promise<void>((resolve) => (end = resolve));
      operator = await OperatorProcess.start(kubeconfig, lease);
      const striking = (async () => {
        while (!over) {
          await Promise.race([operator.untilLeading(limitMs).then(() => sleep(killAfterMs)), whenOver]);
          if (over) return;
          await operator.end('SIGKILL');
          kills += 1;
          operator = await OperatorProcess.start(kubeconfig, lease);
        }
      })();
      const numbers = Array.from({ length: sequences }, (_, number) => number);
      const one = async () => {
        for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) await runSequence(number);
      };
      try {
        await Promise.all(Array.from({ length: atOnce }, one));
      } finally {
        over = true;
        end();
        await striking;
      }
      expect(kills).toBeGreaterThan(0);
      await operator.untilLeading(limitMs);
      await untilNoOrphans(await jobUids());
      for (const job of await jobs()) await client.delete(jobName(job.metadata!.name!));
      await untilNoOrphans(new Set());
      expect(operator.log).not.toContain('internal:');
    });

    const jobs = () => client.list('lockstep.dev/v1alpha1', 'TrainingJob', 'default');
    const jobUids = async () => new Set((await jobs()).map(({ metadata }) => metadata!.uid!));

    /** Waits until every object that was made for a job belongs to one of `uids`. */
    async function untilNoOrphans(uids: ReadonlySet<string>): Promise<void> {
      const isOrphan = ({ metadata }: KubernetesObject) => !uids.has(metadata?.labels?.['lockstep.dev/job-uid'] ?? '');
      const deadline = performance.now() + limitMs;
      let orphans: KubernetesObject[];
      do {
        await sleep(300);
        orphans = [...(await listChildren(client)), ...(await replicaSets())].filter(isOrphan);
      } while (orphans.length > 0 && performance.now() < deadline);
      const why = () => `${JSON.stringify(orphans.map(({ metadata }) => metadata))}\n${operator?.log.slice(-4_000)}`;
      expect(namesOf(orphans), orphans.length > 0 ? why() : '').toEqual([]);
    }

    const replicaSets = async () =>
      (await client.list('apps/v1', 'ReplicaSet', 'default')).map((set) => ({ ...set, kind: 'ReplicaSet' }));
  },
  900_000,
);

/** Others change the same job, so a conflict is no fault. */
async function tolerate(asked: Promise<unknown>): Promise<void> {
  await asked.catch((error: unknown) => {
    const { code } = error as { code?: number };
    if (code !== 404 && code !== 409) throw error;
  });
}
