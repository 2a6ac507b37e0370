// The operator under hostile TrainingJobs: does it stay alive and small, and serve other jobs quickly?
// Environment: JOBS (1000), HONEST (5). Needs KUBEBUILDER_ASSETS and kubectl.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PatchStrategy } from '@kubernetes/client-node';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { Api } from '../../operator/kube/api.js';
import { ApiError, hasCode } from '../../operator/kube/api-error.js';
import { Connector } from '../../operator/kube/connection.js';
import { jobResource, pathOf } from '../../operator/kube/resources.js';
import type { ApiClient } from '../kubernetes/api-client.js';
import { Cluster } from '../kubernetes/cluster.js';
import { hostileJob } from '../kubernetes/hostile-jobs.js';
import {
  installOperator,
  operatorKubeconfig,
  OperatorProcess,
  trainingJobCrd,
} from '../kubernetes/operator-process.js';
import { jobName, trainingJob } from '../kubernetes/training-job.js';

const jobs = Number(process.env['JOBS'] ?? 1000);
const honestJobs = Number(process.env['HONEST'] ?? 5);
const hostile = 'hostile';
const honest = 'honest';
const atOnce = 4;
const limitMs = 120_000;
const hook = new URL('./loop-blocks.mjs', import.meta.url).href;
/** As in the operator's manifest. */
const nodeArgs = ['--max-old-space-size=160', '--max-semi-space-size=4', `--import=${hook}`];
const busy = ['--lease-seconds', '60'];

const cluster = await Cluster.start({ crds: [trainingJobCrd], controllers: false });
const client: ApiClient = cluster.client();
const connector = new Connector(cluster.config());
const api = new Api(connector, undefined, { perSecond: 100_000, burst: 100_000 });
try {
  await installOperator(cluster);
  for (const name of [hostile, honest]) {
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
  }
  console.log(`${jobs} hostile jobs, Node.js ${process.version}`);
  const began = new Set<string>();
  let operator = await start();
  await phase(operator, 'they are created', () => each(jobs, (index) => create(hostileJob(index, hostile))));
  await phase(operator, 'honest jobs are created', () => measureHonest('first', began));
  await phase(operator, 'hostile jobs are updated, deleted and created in a loop', async () => {
    const stop = new AbortController();
    const storm = Promise.all([update(stop.signal), replace(stop.signal)]);
    await sleep(5_000);
    await measureHonest('second', began);
    stop.abort();
    await storm;
  });
  await operator.end();
  const restarted = performance.now();
  operator = await start();
  console.log(`\nrestarted, all listed, leading after ${seconds(restarted)} s`);
  await phase(operator, 'honest jobs are created after a restart', () => measureHonest('third', began));
  await operator.end();
} finally {
  connector.close();
  await cluster.close();
}

async function start(): Promise<OperatorProcess> {
  const operator = await OperatorProcess.start(await operatorKubeconfig(cluster), busy, nodeArgs);
  await operator.untilLeading(limitMs);
  return operator;
}

async function phase(operator: OperatorProcess, what: string, work: () => Promise<unknown>): Promise<void> {
  const startMs = performance.now();
  const logged = operator.log.length;
  let failed: unknown;
  try {
    await work();
  } catch (error) {
    failed = error;
  }
  const alive = await operator.isLeading().catch(() => false);
  console.log(`\n${what}: ${seconds(startMs)} s; ${alive ? 'alive' : 'DEAD'}`);
  if (!alive) console.log(operator.log.split('\n').slice(-12).join('\n'));
  const held = [...operator.log.slice(logged).matchAll(/"heldMs":(\d+)/g)].map(([, ms]) => Number(ms));
  console.log(
    `  event loop held up for ${held.length === 0 ? '20 ms, or no longer than before' : `${Math.max(...held)} ms at most`}`,
  );
  if (alive) console.log(`  memory ${memory(operator.pid, 'VmRSS')} MB, at most ${memory(operator.pid, 'VmHWM')} MB`);
  if (failed !== undefined) throw failed as Error;
}

/** Creates honest jobs and measures the time to the status and to the coordinator's pod of each. */
async function measureHonest(prefix: string, began: Set<string>): Promise<void> {
  for (let index = 0; index < honestJobs; index += 1) {
    const name = `${prefix}-${index}`;
    began.add(name);
    const askedMs = performance.now();
    await create(trainingJob(name, {}, honest));
    const startMs = performance.now();
    await client.until<TrainingJob>(jobName(name, honest), (job) => job?.status !== undefined, 'a status', limitMs);
    const status = seconds(startMs);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${name}-coordinator-1`, namespace: honest } };
    await client.until(pod, (found) => found !== undefined, 'a pod', limitMs);
    const created = ((startMs - askedMs) / 1000).toFixed(1);
    console.log(
      `  ${name}: made by the API server in ${created} s; status after ${status} s, coordinator's pod after ${seconds(startMs)} s`,
    );
  }
}

async function update(signal: AbortSignal): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    const { metadata } = hostileJob(count % jobs, hostile);
    const patch = { ...jobName(metadata.name!, hostile), spec: { suspend: count % 2 === 0 } };
    const no = undefined;
    await client.objects.patch(patch, no, no, no, no, PatchStrategy.MergePatch).catch(() => undefined);
  }
}

async function replace(signal: AbortSignal): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    const job = hostileJob(count % jobs, hostile);
    const path = pathOf(jobResource, hostile, job.metadata.name);
    await api.call({ verb: 'delete', resource: jobResource.plural, path, read: {} }).catch(() => undefined);
    await create(job).catch(() => undefined);
  }
}

/** Creates a job, with as many attempts as a busy API server takes. */
async function create(job: TrainingJob): Promise<void> {
  const path = pathOf(jobResource, job.metadata.namespace);
  const deadline = performance.now() + limitMs;
  for (;;) {
    try {
      await api.call({ verb: 'create', resource: jobResource.plural, path, body: job, read: {} });
      return;
    } catch (error) {
      if (hasCode(error, 409)) return;
      if (!(error instanceof ApiError && error.retryable) || performance.now() > deadline) throw error;
      await sleep(500);
    }
  }
}

async function each(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const one = async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/** MB of a process. */
function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(found![1]) / 1024);
}

function seconds(startMs: number): string {
  return ((performance.now() - startMs) / 1000).toFixed(1);
}
