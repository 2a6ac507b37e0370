import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Job, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSteps } from '../../run/record-format.js';
import { lockstep, scratchDirectory } from '../e2e/lockstep.js';
import type { ApiClient } from './api-client.js';
import { missing } from './assets.js';
import { Cluster } from './cluster.js';
import { kubectl, kubectlMissing } from './kubectl.js';
import { LocalNode } from './node/local-node.js';

const skipped = missing ?? kubectlMissing;
const limitMs = 90_000;
/** A quiet machine needs a tenth of this. */
const testLimitMs = 240_000;

/** Six epochs of 21 steps. */
const job = {
  name: 'plain',
  model: 'cnn3',
  epochs: 6,
  shards: 5,
  batchPerShard: 10,
  data: { dataset: 'synthetic', limit: 205 },
  evaluation: { batch: 100, everyEpochs: 0 },
};

describe.skipIf(skipped !== undefined)(
  'a training without the operator (needs a Kubernetes control plane in KUBEBUILDER_ASSETS and kubectl)',
  () => {
    const scratch = scratchDirectory();
    const plain = join(scratch.path, 'plain');
    const quiet = join(scratch.path, 'quiet');
    let cluster: Cluster;
    let client: ApiClient;
    let node: LocalNode;

    beforeAll(async () => {
      cpSync('deploy/plain', plain, { recursive: true });
      const overlay = join(plain, 'overlays/test');
      const secrets = join(plain, 'base/secrets');
      mkdirSync(overlay);
      const generator = { name: 'lockstep-job', behavior: 'merge', files: ['job.yaml'] };
      writeFileSync(
        join(overlay, 'kustomization.yaml'),
        JSON.stringify({ resources: ['../kind'], configMapGenerator: [generator] }),
      );
      writeFileSync(join(overlay, 'job.yaml'), JSON.stringify(job));
      writeFileSync(join(secrets, 'token'), 'a-token-that-is-long-enough');
      const certs = await lockstep(['certs', '--out', secrets, '--host', 'lockstep-coordinator']);
      expect(certs.code).toBe(0);
      const local = await lockstep(['train', join(overlay, 'job.yaml'), '--workers', '1', '--run', quiet, '--no-http']);
      expect(local.code).toBe(0);
      cluster = await Cluster.start();
      client = cluster.client();
      node = await LocalNode.start(cluster);
    });
    afterAll(async () => {
      await node?.close();
      await cluster?.close();
      scratch.remove();
    });

    const run = (...args: string[]) => kubectl(cluster.kubeconfig, ...args);
    const batchJob = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'lockstep-coordinator', namespace: 'default' },
    };
    const pods = (component: string) =>
      client.list<V1Pod>('v1', 'Pod', 'default', `app.kubernetes.io/component=${component}`);
    const has = (object: V1Job | undefined, type: string) =>
      object?.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
    const untilJob = (type: string) => client.until<V1Job>(batchJob, (object) => has(object, type), type, limitMs);

    async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
      const deadline = performance.now() + limitMs;
      while (!(await condition())) {
        if (performance.now() > deadline) throw new Error(`wait: expected ${what} in ${limitMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }

    /** The folder of the claim's volume. */
    async function runDirectory(): Promise<string> {
      const claimName = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'lockstep-run', namespace: 'default' },
      };
      const claim = await client.until<V1PersistentVolumeClaim>(
        claimName,
        (found) => found?.status?.phase === 'Bound',
        'bound',
      );
      const volumeName = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: claim!.spec!.volumeName! } };
      return join((await client.get<V1PersistentVolume>(volumeName)).spec!.hostPath!.path, 'run');
    }
    const record = (directory: string) =>
      JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as {
        outcome: string;
        term: number;
        finalDigest: string;
      };

    it(
      'is suspended, scaled and gone on with, ends with the digest of a local run, and is not begun again',
      async () => {
        await run('apply', '-k', join(plain, 'overlays/test'));
        const directory = await runDirectory();
        const steps = () => {
          const file = join(directory, 'steps.csv');
          return existsSync(file) ? parseSteps(readFileSync(file, 'utf8')) : [];
        };
        await until(() => steps().length >= 5, '5 steps');

        await run('patch', 'job', 'lockstep-coordinator', '-p', '{"spec":{"suspend":true}}');
        await untilJob('Suspended');
        await until(async () => (await pods('coordinator')).length === 0, 'no coordinator');
        expect(record(directory)).toMatchObject({ outcome: 'stopped', term: 1 });
        expect(steps().length).toBeLessThan(126);

        await run('scale', 'deployment/lockstep-worker', '--replicas=3');
        await run('patch', 'job', 'lockstep-coordinator', '-p', '{"spec":{"suspend":false}}');
        const over = await untilJob('Complete');
        expect(over?.status?.failed ?? 0).toBe(0);
        const finished = { outcome: 'finished', term: 2, finalDigest: record(quiet).finalDigest };
        expect(record(directory)).toMatchObject(finished);

        // The workers have exited normally, have been restarted, and wait for another job.
        const states = async () => (await pods('worker')).map(({ status }) => status?.containerStatuses?.[0]);
        const runs = (state: Awaited<ReturnType<typeof states>>[number]) => state?.state?.running !== undefined;
        await until(async () => (await states()).filter(runs).length === 3, 'three workers that wait');
        const restarted = (await states()).filter((state) => state!.restartCount > 0);
        expect(restarted.length).toBeGreaterThanOrEqual(2);
        for (const state of restarted) expect(state!.lastState!.terminated!.exitCode).toBe(0);

        await client.delete(batchJob);
        await client.until(batchJob, (object) => object === undefined, 'gone');
        await run('apply', '-k', join(plain, 'overlays/test'));
        await untilJob('Complete');
        expect(record(directory)).toMatchObject(finished);
      },
      testLimitMs,
    );
  },
);
