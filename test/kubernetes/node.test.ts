import { existsSync, readFileSync } from 'node:fs';
import type { V1Container, V1Node, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../e2e/lockstep.js';
import type { ApiClient } from './api-client.js';
import { missing } from './assets.js';
import { Cluster } from './cluster.js';
import { LocalNode } from './node/local-node.js';
import { isReadyPod } from './node/service-endpoints.js';

const limitMs = 20_000;
/** Containers here are small programs of Node, given as their one argument. */
const image = (name: string) => (name === 'script' ? { entrypoint: [process.execPath, '-e'] } : undefined);
const forEver = 'setInterval(() => {}, 1e6)';

const title = 'a node that runs pods as processes (needs a Kubernetes control plane in KUBEBUILDER_ASSETS)';

describe.skipIf(missing !== undefined)(title, () => {
  let cluster: Cluster;
  let client: ApiClient;
  let node: LocalNode;

  beforeAll(async () => {
    cluster = await Cluster.start({ nodeGraceSeconds: 5 });
    client = cluster.client();
    node = await LocalNode.start(cluster, { image, capacity: { 'nvidia.com/gpu': '1' } });
  });
  afterAll(async () => {
    await node?.close();
    await cluster?.close();
  });

  const podName = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' } });
  const makePod = (name: string, script: string, spec: Partial<V1PodSpec> = {}, container: Partial<V1Container> = {}) =>
    client.create<V1Pod>({
      ...podName(name),
      metadata: { name, namespace: 'default', labels: { app: name } },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'script', args: [script], ...container }],
        ...spec,
      },
    });
  const untilPod = (name: string, condition: (pod: V1Pod) => boolean, what: string) =>
    client.until<V1Pod>(podName(name), (pod) => pod !== undefined && condition(pod), what, limitMs) as Promise<V1Pod>;
  const untilGone = (name: string) => client.until<V1Pod>(podName(name), (pod) => pod === undefined, 'gone', limitMs);
  const untilNode = (ready: string) =>
    client.until<V1Node>(
      { apiVersion: 'v1', kind: 'Node', metadata: { name: node.name } },
      (object) => object?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === ready) ?? false,
      `ready: ${ready}`,
      limitMs,
    );
  const state = (pod: V1Pod) => pod.status?.containerStatuses?.[0]?.state;
  const log = (name: string) => {
    const file = node.logFile(name, 'main');
    return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  it.each([
    ['Succeeded', 0, 'Completed'],
    ['Failed', 2, 'Error'],
  ])('says %s of a pod that ends with code %i', async (phase, exitCode, reason) => {
    const name = phase.toLowerCase();
    await makePod(name, `console.log('hello'); process.exit(${exitCode})`);
    const pod = await untilPod(name, ({ status }) => status?.phase === phase, phase);
    expect(state(pod)?.terminated).toMatchObject({ exitCode, reason });
    expect(pod.status!.containerStatuses![0]!.restartCount).toBe(0);
    expect(log(name)).toBe('hello\n');
  });

  it('runs init containers first, gives folders, secrets and a service account token, all under the mount paths', async () => {
    await client.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'hush', namespace: 'default' },
      stringData: { token: 'grüße' },
    });
    const mounts = [
      { name: 'work', mountPath: '/work' },
      { name: 'hush', mountPath: '/etc/hush' },
    ];
    const script =
      "const fs = require('fs'); for (const f of process.argv.slice(1)) console.log(fs.readFileSync(f, 'utf8'))";
    const first = { name: 'first', image: 'script', args: ["require('fs').writeFileSync('/work/a', 'from init')"] };
    await makePod(
      'files',
      script,
      {
        initContainers: [{ ...first, volumeMounts: mounts }],
        volumes: [
          { name: 'work', emptyDir: {} },
          { name: 'hush', secret: { secretName: 'hush' } },
        ],
      },
      {
        args: [script, '/work/a', '/etc/hush/token', '/var/run/secrets/kubernetes.io/serviceaccount/namespace'],
        volumeMounts: mounts,
      },
    );
    await untilPod('files', ({ status }) => status?.phase === 'Succeeded', 'over');
    expect(log('files')).toBe('from init\ngrüße\ndefault\n');
  });

  it('restarts a failing container, with growing delays, and reports it', async () => {
    await makePod('crash', 'process.exit(3)', { restartPolicy: 'OnFailure' });
    const pod = await untilPod('crash', (pod) => state(pod)?.waiting?.reason === 'CrashLoopBackOff', 'backing off');
    expect(pod.status!.phase).toBe('Running');
    expect(pod.status!.containerStatuses![0]!.lastState!.terminated!.exitCode).toBe(3);
    await client.delete(podName('crash'));
    await untilGone('crash');
  });

  it('asks a pod to end, ends it after its grace period, and then lets its object go', async () => {
    await makePod('stubborn', `process.on('SIGTERM', () => console.log('no')); console.log('up'); ${forEver}`);
    await untilPod('stubborn', (pod) => isReadyPod(pod) && log('stubborn').includes('up'), 'up');
    const [pid] = node.pids('stubborn');
    const asked = performance.now();
    await client.delete(podName('stubborn'), { graceSeconds: 1 });
    const pod = await untilPod('stubborn', (pod) => pod.metadata?.deletionTimestamp !== undefined, 'being deleted');
    expect(state(pod)?.running).toBeDefined();
    await untilGone('stubborn');
    expect(performance.now() - asked).toBeGreaterThan(950);
    expect(isAlive(pid!)).toBe(false);
  });

  it('forwards connections by name of a service to its ready pod, and refuses them where there is none', async () => {
    const port = { port: 80, targetPort: 8_080 };
    const spec = { selector: { app: 'server' }, ports: [port] };
    await client.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec,
    });
    const ask = `const ask = () => fetch('http://web.default.svc').then((r) => r.text()).then((t) => { console.log(t); process.exit() },
      (e) => { console.log(e.cause.code); setTimeout(ask, 100) }); ask()`;
    await makePod('client', ask);
    await untilPod('client', () => log('client').includes('ECONNRE'), 'refused');
    const serve =
      "require('http').createServer((q, s) => s.end('hi from ' + require('os').hostname())).listen(8080, process.env.IP)";
    await makePod(
      'server',
      serve,
      {},
      {
        env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
        readinessProbe: { httpGet: { port: 8_080 }, periodSeconds: 1 },
      },
    );
    await untilPod('client', ({ status }) => status?.phase === 'Succeeded', 'answered');
    expect(log('client').trimEnd().split('\n').at(-1)).toBe('hi from server');
    await client.delete(podName('server'));
  });

  it('ends a container whose liveness probe fails', async () => {
    const livenessProbe = { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 2 };
    await makePod('deaf', forEver, {}, { livenessProbe });
    const pod = await untilPod('deaf', ({ status }) => status?.phase === 'Failed', 'ended');
    expect(state(pod)?.terminated?.exitCode).toBe(143);
  });

  it('waits for an image until it can be pulled', async () => {
    const message = 'Back-off pulling image "script": connection refused';
    const mend = node.spoil(({ metadata }) => metadata?.name === 'imageless', { image: message });
    await makePod('imageless', 'process.exit(0)');
    const pod = await untilPod('imageless', (pod) => state(pod)?.waiting?.reason === 'ImagePullBackOff', 'waiting');
    expect([pod.status!.phase, state(pod)!.waiting!.message]).toEqual(['Pending', message]);
    mend();
    await untilPod('imageless', ({ status }) => status?.phase === 'Succeeded', 'over');
  });

  it('leaves a pod that requests too many accelerators to the scheduler', async () => {
    await makePod('greedy', forEver, {}, { resources: { limits: { 'nvidia.com/gpu': '2' } } });
    const scheduled = ({ status }: V1Pod) => status?.conditions?.find(({ type }) => type === 'PodScheduled');
    const pod = await untilPod('greedy', (pod) => scheduled(pod)?.reason === 'Unschedulable', 'unschedulable');
    expect(scheduled(pod)!.message).toContain('Insufficient nvidia.com/gpu');
    await client.delete(podName('greedy'));
  });

  it('continues after the API server was unavailable', async () => {
    await makePod('patient', `console.log('up'); setTimeout(() => process.exit(7), 1500)`);
    await untilPod('patient', () => log('patient').includes('up'), 'up');
    await cluster.killApiServer();
    await cluster.startApiServer();
    const pod = await untilPod('patient', ({ status }) => status?.phase === 'Failed', 'over');
    expect(state(pod)?.terminated?.exitCode).toBe(7);
  });

  it('when it disappears, its processes have ended and its pods stay, being deleted', async () => {
    const tolerationSeconds = 0;
    await makePod('left', forEver, {
      tolerations: [
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds },
      ],
    });
    await untilPod('left', isReadyPod, 'running');
    const [pid] = node.pids('left');
    // If no node is left, the cluster assumes a fault of its own and evicts nothing.
    const other = await LocalNode.start(cluster, { name: 'other' });
    await untilNode('True');
    await node.vanish();
    expect(isAlive(pid!)).toBe(false);
    await untilNode('Unknown');
    const pod = await untilPod('left', ({ metadata }) => metadata?.deletionTimestamp !== undefined, 'given up');
    expect(state(pod)?.running).toBeDefined();
    await other.close();
  });
});
