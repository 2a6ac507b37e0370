// Cost of the operator: jobs and their pods as objects only, and a burst of changes.
// Environment: JOBS (500), PODS per job (10), ANSWER=1: coordinators run and answer over TLS as well. Needs
// KUBEBUILDER_ASSETS and kubectl.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { ClusterServer, type Handlers } from '../../coordinator/membership/server.js';
import { credentialsOf } from '../../operator/plan/credentials.js';
import { labelsOf, secretNamesOf } from '../../operator/plan/names.js';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { Api } from '../../operator/kube/api.js';
import { Connector } from '../../operator/kube/connection.js';
import {
  jobResource,
  pathOf,
  podResource,
  resourceOf,
  type Resource,
  secretResource,
} from '../../operator/kube/resources.js';
import type { StatusReply } from '../../proto/messages.js';
import { Cluster } from '../kubernetes/cluster.js';
import {
  installOperator,
  operatorKubeconfig,
  OperatorProcess,
  trainingJobCrd,
} from '../kubernetes/operator-process.js';
import { countRequests } from '../kubernetes/requests.js';
import { trainingJob } from '../kubernetes/training-job.js';

const jobs = Number(process.env['JOBS'] ?? 500);
const podsPerJob = Number(process.env['PODS'] ?? 10);
const answer = process.env['ANSWER'] === '1';
const namespace = 'default';
const atOnce = 24;
const limitMs = 600_000;
/** As in the operator's manifest. */
const nodeArgs = ['--max-old-space-size=160', '--max-semi-space-size=4'];

const names = Array.from({ length: jobs }, (_, index) => `job-${index}`);
const cluster = await Cluster.start({ crds: [trainingJobCrd], controllers: false });
const connector = new Connector(cluster.config());
const api = new Api(connector, undefined, { perSecond: 100_000, burst: 100_000 });
const servers: ClusterServer[] = [];
const timers: NodeJS.Timeout[] = [];
try {
  await measure();
} finally {
  timers.forEach(clearInterval);
  await Promise.all(servers.map((server) => server.close(0)));
  connector.close();
  await cluster.close();
}

async function measure(): Promise<void> {
  await installOperator(cluster);
  await create(
    { ...podResource, kind: 'ServiceAccount', plural: 'serviceaccounts' },
    { metadata: { name: 'default', namespace } },
  );
  const operator = await OperatorProcess.start(await operatorKubeconfig(cluster), [], nodeArgs);
  try {
    await operator.untilLeading(60_000);
    console.log(`${jobs} jobs, ${jobs * podsPerJob} worker pods; Node.js ${process.version}`);
    await phase(operator, 'jobs created', async () => {
      await each(names, (name) => create(jobResource, trainingJob(name, { workers: { replicas: podsPerJob } })));
      await untilAll('deployments', ({ length }) => length === jobs);
    });
    const all = await list<TrainingJob>(jobResource);
    await phase(operator, 'worker pods created', () => each(all, createWorkers));
    if (answer) {
      await phase(operator, 'coordinators run and answer', async () => {
        await each([...all.entries()], startCoordinator);
        await untilJobs(({ status }) => status?.state === 'Running');
      });
      await phase(operator, 'training, for 30 s', () => sleep(30_000));
    }
    await phase(operator, `a burst: all jobs scaled to ${podsPerJob + 1}`, async () => {
      await each(names, (name) => scale(name, podsPerJob + 1));
      await untilAll('deployments', (found) => found.every(({ spec }) => spec?.replicas === podsPerJob + 1));
      await untilJobs(({ status }) => status?.workers?.desired === podsPerJob + 1);
    });
    console.log(`\nlargest resident memory ${memory(operator.pid, 'VmHWM')} MB`);
  } catch (error) {
    console.error(operator.log.split('\n').slice(-20).join('\n'));
    throw error;
  } finally {
    await operator.end();
  }
}

/** Measures an action: its duration, its cost for the API server, and the operator's size afterwards. */
async function phase(operator: OperatorProcess, what: string, work: () => Promise<unknown>): Promise<void> {
  const before = cluster.requests().length;
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const requests = cluster.requests().slice(before);
  const ours = requests.filter(({ agent, resource }) => agent.startsWith('lockstep-operator') && resource !== 'leases');
  const asked = ours.filter(({ user }) => user.includes('serviceaccount'));
  const failed = asked.filter(({ code }) => code >= 400 && code !== 404).length;
  const perJob = (asked.length / jobs).toFixed(1);
  const rate = (asked.length / seconds).toFixed(1);
  console.log(`\n${what}: ${seconds.toFixed(1)} s, memory ${memory(operator.pid, 'VmRSS')} MB`);
  console.log(`  ${asked.length} requests, ${perJob} per job, ${rate} per second, ${failed} refused`);
  console.log(`  ${JSON.stringify(countRequests(asked))}`);
}

/** MB of a process. */
function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(found![1]) / 1024);
}

function create(resource: Resource, object: object): Promise<unknown> {
  const body = { apiVersion: 'v1', kind: resource.kind, ...object };
  return api.call({ verb: 'create', resource: resource.plural, path: pathOf(resource, namespace), body });
}

async function list<Kind>(resource: Resource): Promise<Kind[]> {
  const items: Kind[] = [];
  const request = { verb: 'list', resource: resource.plural, path: pathOf(resource, namespace) } as const;
  await api.list({ ...request, read: { '*': 'all' } }, (item) => items.push(item as Kind));
  return items;
}

function patch(resource: Resource, name: string, body: object, subresource?: string): Promise<unknown> {
  const path = pathOf(resource, namespace, name, subresource);
  return api.call({ verb: 'patch', resource: resource.plural, path, body });
}

function scale(name: string, replicas: number): Promise<unknown> {
  return patch(jobResource, name, { spec: { replicas } }, 'scale');
}

async function createWorkers({ metadata }: TrainingJob): Promise<void> {
  const identity = { name: metadata.name!, namespace, uid: metadata.uid! };
  for (let index = 0; index < podsPerJob; index += 1) {
    await create(podResource, {
      metadata: { name: `${identity.name}-worker-${index}`, namespace, labels: labelsOf(identity, 'worker') },
      spec: { containers: [{ name: 'worker', image: 'lockstep:test', resources: {} }] },
    });
  }
}

/** The coordinator's own server on its own address, with the job's own certificates; it trains nothing. */
async function startCoordinator([index, { metadata }]: [number, TrainingJob]): Promise<void> {
  const name = metadata.name!;
  const podPath = pathOf(podResource, namespace, `${name}-coordinator-1`);
  const pod = await api.call<V1Pod>({ verb: 'get', resource: podResource.plural, path: podPath });
  const names = secretNamesOf({ name, namespace, uid: metadata.uid! }, credentialsOf(pod));
  const [ca, cert, key] = await readSecret(names.coordinatorTls, ['ca.crt', 'tls.crt', 'tls.key']);
  const [token] = await readSecret(names.token, ['token']);
  const tls = { ca: ca!, cert: cert!, key: key! };
  const handlers = { cluster: {}, data: {}, control: { Watch: tellProgress } } as unknown as Handlers;
  const server = new ClusterServer(handlers, { tls, token: token! });
  const podIP = `127.77.${Math.floor(index / 200)}.${(index % 200) + 1}`;
  await server.listen({ host: podIP, port: 50061 });
  servers.push(server);
  const status: V1Pod['status'] = { phase: 'Running', podIP, podIPs: [{ ip: podIP }] };
  await patch(podResource, `${name}-coordinator-1`, { status }, 'status');
}

async function readSecret(name: string, fields: readonly string[]): Promise<string[]> {
  const path = pathOf(secretResource, namespace, name);
  const { data } = await api.call<V1Secret>({ verb: 'get', resource: secretResource.plural, path });
  return fields.map((field) => Buffer.from(data?.[field] ?? '', 'base64').toString('utf8'));
}

function tellProgress(stream: ServerWritableStream<object, Partial<StatusReply>>): void {
  let step = 0;
  const tell = () => {
    step += 10;
    const workers = Array.from({ length: podsPerJob }, (_, index) => ({
      workerId: `worker-${index}`,
      state: 'computing',
    }));
    const figures = { step, totalSteps: 100_000, epoch: 1, epochs: 100, loss: 2 / step, imagesPerSecond: 2450 };
    stream.write({ job: 'job', state: 'training', workers: workers as StatusReply['workers'], ...figures });
  };
  tell();
  const timer = setInterval(tell, 1000);
  timers.push(timer);
  stream.on('cancelled', () => clearInterval(timer));
}

interface Scaled {
  readonly spec?: { readonly replicas?: number };
}

async function untilAll(what: 'deployments', condition: (found: Scaled[]) => boolean): Promise<void> {
  await until(async () => condition(await list<Scaled>(resourceOf('Deployment'))), what);
}

async function untilJobs(condition: (job: TrainingJob) => boolean): Promise<void> {
  await until(async () => (await list<TrainingJob>(jobResource)).every(condition), 'jobs');
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`bench: expected all ${what} as wanted within ${limitMs} ms`);
    await sleep(500);
  }
}

/** Does `work` with every item, some at once. */
async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  const one = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}
