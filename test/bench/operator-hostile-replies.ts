// Hostile coordinators against the operator: most jobs of one namespace send every hostile reply there is, a few jobs
// of another namespace are honest. Prints the operator's memory, the longest block of its event loop, and how long
// honest jobs wait. Environment: HOSTILE (100), HONEST (5), SECONDS (60), RATE (50) of the operator's requests, which
// limits how soon the jobs exist. Needs KUBEBUILDER_ASSETS and kubectl.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import { credentialsOf } from '../../operator/plan/credentials.js';
import { secretNamesOf } from '../../operator/plan/names.js';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { Api } from '../../operator/kube/api.js';
import { Connector } from '../../operator/kube/connection.js';
import { jobResource, pathOf, podResource, resourceOf, type Resource } from '../../operator/kube/resources.js';
import { Cluster } from '../kubernetes/cluster.js';
import {
  installOperator,
  operatorKubeconfig,
  OperatorProcess,
  trainingJobCrd,
} from '../kubernetes/operator-process.js';
import { countRequests } from '../kubernetes/requests.js';
import { trainingJob } from '../kubernetes/training-job.js';
import {
  type Behaviour,
  flood,
  frame,
  HostileCoordinator,
  respond,
  statusBytes,
} from '../operator/hostile-coordinator.js';

const hostile = Number(process.env['HOSTILE'] ?? 100);
const honest = Number(process.env['HONEST'] ?? 5);
const seconds = Number(process.env['SECONDS'] ?? 60);
const rate = process.env['RATE'] ?? '50';
const limitMs = 600_000;
const atOnce = 16;
const hook = new URL('./loop-blocks.mjs', import.meta.url).href;
/** As in the operator's manifest. */
const nodeArgs = ['--max-old-space-size=160', '--max-semi-space-size=4', `--import=${hook}`];

let step = 0;
const next = (changes: object) => frame(statusBytes({ step: (step += 1), totalSteps: 9, ...changes }));
const every = (stream: Parameters<Behaviour>[0], ms: number, bytes: () => Buffer) => {
  const timer = setInterval(() => (stream.destroyed ? clearInterval(timer) : stream.write(bytes())), ms);
  stream.on('close', () => clearInterval(timer));
};
const states = ['training', 'paused', 'waiting', 'evaluating'];
const bomb = gzipSync(Buffer.alloc(4 * 1024 * 1024));
const workers = Buffer.from('6a00'.repeat(130_000), 'hex');
const large = frame(
  Buffer.concat([statusBytes({ state: 'training', reason: 'é'.repeat(100_000) }), workers.subarray(0, 8000)]),
);
const kinds: readonly [string, Behaviour][] = [
  [
    'another state each second',
    (s) => (respond(s), every(s, 1000, () => next({ state: states[step % 4], reason: `${step}` }))),
  ],
  ['statuses without end', (s) => (respond(s), flood(s, next({ state: 'training' })))],
  ['bytes without end', (s) => (respond(s), flood(s, frame(Buffer.alloc(256 * 1024))))],
  ['large statuses', (s) => (respond(s), every(s, 600, () => large))],
  ['130,000 workers', (s) => (respond(s), every(s, 500, () => frame(Buffer.concat([next({}).subarray(5), workers]))))],
  ['nothing', (s) => respond(s)],
  ['a gzip bomb', (s) => (respond(s, { 'grpc-encoding': 'gzip' }), flood(s, frame(bomb, 1)))],
  ['headers', (s) => respond(s, { evil: 'x'.repeat(60_000) })],
  ['nearly a message', (s) => (respond(s), s.write(frame(Buffer.alloc(255 * 1024), 0, 256 * 1024)))],
  [
    'figures that are none',
    (s) => (
      respond(s),
      every(s, 700, () =>
        next({
          state: 'training',
          lossMean: NaN,
          imagesPerSecond: Infinity,
          secondsLeft: 1e300,
          testEpoch: 1,
          testAccuracy: -1e300,
          device: '\u001b[2J'.repeat(99),
        }),
      )
    ),
  ],
];
const training: Behaviour = (s) => (
  respond(s),
  s.write(next({ state: 'training' })),
  every(s, 1000, () => next({ state: 'training' }))
);

const cluster = await Cluster.start({ crds: [trainingJobCrd], controllers: false });
const connector = new Connector(cluster.config());
const api = new Api(connector, undefined, { perSecond: 100_000, burst: 100_000 });
const servers: HostileCoordinator[] = [];
try {
  await measure();
} finally {
  await Promise.all(servers.map((server) => server.close()));
  connector.close();
  await cluster.close();
}

async function measure(): Promise<void> {
  await installOperator(cluster);
  for (const name of ['hostile', 'honest']) {
    await create({ ...podResource, kind: 'Namespace', plural: 'namespaces' }, undefined, { metadata: { name } });
    await create({ ...podResource, kind: 'ServiceAccount', plural: 'serviceaccounts' }, name, {
      metadata: { name: 'default', namespace: name },
    });
  }
  const operator = await OperatorProcess.start(await operatorKubeconfig(cluster), ['--rate', rate], nodeArgs);
  try {
    await operator.untilLeading(60_000);
    console.log(`${hostile} hostile jobs, ${honest} honest ones; Node.js ${process.version}`);
    const before = await startJobs('hostile', hostile, (index) => kinds[index % kinds.length]![1]);
    console.log(`hostile jobs run after ${before.toFixed(0)} s; memory ${memory(operator.pid, 'VmRSS')} MB`);
    const first = await startJobs('honest', honest, () => training);
    console.log(`honest jobs: created and Running after ${first.toFixed(1)} s`);
    const waits: number[] = [];
    const peaks: number[] = [];
    for (const untilMs = performance.now() + 1000 * seconds; performance.now() < untilMs;) {
      waits.push(await scaleOne(waits.length));
      peaks.push(memory(operator.pid, 'VmRSS'));
    }
    const sorted = [...waits].sort((a, b) => a - b);
    console.log(
      `honest jobs scaled: ${waits.length} times, median ${sorted[sorted.length >> 1]!.toFixed(1)} s, longest ${sorted.at(-1)!.toFixed(1)} s`,
    );
    console.log(`memory up to ${Math.max(...peaks)} MB, high-water mark ${memory(operator.pid, 'VmHWM')} MB`);
    console.log(`longest block of the event loop ${longest(operator)} ms`);
    const ours = cluster
      .requests()
      .filter(({ agent, user }) => agent.startsWith('lockstep-operator') && user.includes('serviceaccount'));
    console.log(
      `refused: ${JSON.stringify(countRequests(ours.filter(({ code }) => code >= 400 && code !== 404 && code !== 409)))}`,
    );
  } catch (error) {
    console.error(operator.log.split('\n').slice(-20).join('\n'));
    throw error;
  } finally {
    await operator.end();
  }
}

/**
 * Longest time that the operator's main thread blocked its event loop, in ms of processor time; see loop-blocks.mjs.
 */
function longest({ log }: OperatorProcess): number {
  return Math.max(20, ...[...log.matchAll(/"heldMs":(\d+)/g)].map(([, ms]) => Number(ms)));
}

/** @returns seconds until the operator reports each of them as Running, or has rejected an answer of theirs. */
async function startJobs(namespace: string, count: number, behave: (index: number) => Behaviour): Promise<number> {
  const began = performance.now();
  const names = Array.from({ length: count }, (_, index) => `${namespace}-${index}`);
  for (const name of names) {
    const job = trainingJob(name, { workers: { replicas: 1 } });
    await create(jobResource, namespace, { ...job, metadata: { ...job.metadata, namespace } });
  }
  const queue = [...names.entries()];
  const start = async () => {
    for (let one = queue.shift(); one; one = queue.shift())
      await startCoordinator(namespace, one[1], one[0], behave(one[0]));
  };
  await Promise.all(Array.from({ length: atOnce }, start));
  if (namespace === 'honest') {
    await until(async () => (await list(namespace)).every(({ status }) => status?.state === 'Running'), 'honest jobs');
  }
  return (performance.now() - began) / 1000;
}

async function startCoordinator(namespace: string, name: string, index: number, behave: Behaviour): Promise<void> {
  const pod = `${name}-coordinator-1`;
  const get = <Kind>(resource: Resource, object: string) =>
    api.call<Kind>({ verb: 'get', resource: resource.plural, path: pathOf(resource, namespace, object) });
  await until(
    () =>
      get(podResource, pod).then(
        () => true,
        () => false,
      ),
    pod,
  );
  const secrets = secretNamesOf({ name, namespace, uid: '' }, credentialsOf(await get<V1Pod>(podResource, pod)));
  const { data } = await get<V1Secret>(resourceOf('Secret'), secrets.coordinatorTls);
  const [ca, cert, key] = ['ca.crt', 'tls.crt', 'tls.key'].map((field) =>
    Buffer.from(data![field]!, 'base64').toString(),
  );
  const server = new HostileCoordinator({ ca: ca!, coordinator: { cert: cert!, key: key! } }, behave);
  const podIP = `127.${namespace === 'honest' ? 78 : 79}.${Math.floor(index / 200)}.${(index % 200) + 1}`;
  await server.listen(podIP, 50061);
  servers.push(server);
  const status: V1Pod['status'] = { phase: 'Running', podIP, podIPs: [{ ip: podIP }] };
  const path = pathOf(podResource, namespace, pod, 'status');
  await api.call({ verb: 'patch', resource: 'pods', path, body: { status } });
}

/** Changes the number of workers of an honest job. @returns seconds until its Deployment and its status have it. */
async function scaleOne(round: number): Promise<number> {
  const name = `honest-${round % honest}`;
  const replicas = 2 + round;
  const began = performance.now();
  const path = pathOf(jobResource, 'honest', name, 'scale');
  await api.call({ verb: 'patch', resource: jobResource.plural, path, body: { spec: { replicas } } });
  const isDone = async () => {
    const job = (await list('honest')).find(({ metadata }) => metadata.name === name);
    return job?.status?.workers?.desired === replicas;
  };
  await until(isDone, name);
  const waited = (performance.now() - began) / 1000;
  await sleep(500);
  return waited;
}

async function list(namespace: string): Promise<TrainingJob[]> {
  const path = pathOf(jobResource, namespace);
  return (await api.call<{ items: TrainingJob[] }>({ verb: 'list', resource: jobResource.plural, path })).items;
}

function create(resource: Resource, namespace: string | undefined, object: object): Promise<unknown> {
  const body = { apiVersion: 'v1', kind: resource.kind, ...object };
  return api.call({ verb: 'create', resource: resource.plural, path: pathOf(resource, namespace), body });
}

/** MB of a process. */
function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(found![1]) / 1024);
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`bench: expected ${what} as wanted within ${limitMs} ms`);
    await sleep(200);
  }
}
