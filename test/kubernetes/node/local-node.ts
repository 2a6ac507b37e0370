import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import { type ApiClient, isStatus, unlessAbsent } from '../api-client.js';
import type { Cluster } from '../cluster.js';
import { kubeconfigText } from '../control-plane.js';
import { Follow } from '../follow.js';
import { type Claims, ClaimProvisioner } from './claims.js';
import type { LocalImage } from './container-command.js';
import type { Backoff } from './container-state.js';
import { NodeHeartbeat } from './node-heartbeat.js';
import { type PodFaults, type PodHost, PodRunner } from './pod-runner.js';
import { ServiceProxy } from './service-proxy.js';
import { sourcesOf } from './sources.js';

const hooks = new URL('./process-hooks.mjs', import.meta.url).href;
const repository = fileURLToPath(new URL('../../../', import.meta.url));

export interface NodeOptions {
  readonly name?: string;
  /** The program for an image; undefined if the image doesn't exist. Default: `projectImage`. */
  readonly image?: (name: string) => LocalImage | undefined;
  /** Besides cpu, memory and pods: such as `nvidia.com/gpu`. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly backoff?: Partial<Backoff>;
  /** Variables that every process gets, overriding those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The project's own images, by name; `npm run build` makes their programs. */
function projectImage(name: string): LocalImage {
  const main = name.includes('operator') ? ['operator'] : ['cli'];
  return { entrypoint: [process.execPath, join(repository, 'dist', ...main, 'main.js')] };
}

/**
 * A node of the cluster that runs pods as processes of this machine.
 *
 * A pod gets its own loopback address, folders for its volumes, and service names that resolve to cluster addresses,
 * from which a `ServiceProxy` forwards. Images, users, capabilities, read-only roots and limits have no effect here.
 */
export class LocalNode {
  readonly #client: ApiClient;
  readonly #runners = new Map<string, PodRunner>();
  readonly #pods = new Map<string, V1Pod>();
  readonly #faults: { match: (pod: V1Pod) => boolean; faults: PodFaults }[] = [];
  readonly #published = new Map<string, Promise<void>>();
  readonly #dirty = new Set<string>();
  readonly #heartbeat: NodeHeartbeat;
  readonly #follow: Follow<V1Pod>;
  readonly #proxy: ServiceProxy;
  readonly #claims: Claims;
  readonly #root: string;
  #gone = false;

  private constructor(
    private readonly cluster: Cluster,
    readonly name: string,
    private readonly options: NodeOptions,
  ) {
    this.#client = cluster.client();
    this.#root = join(cluster.directory, name);
    mkdirSync(this.#root);
    this.#claims = new ClaimProvisioner(cluster.config(), join(this.#root, 'claims'));
    this.#proxy = new ServiceProxy(cluster.config(), (names) => this.#writeNames(names));
    this.#heartbeat = new NodeHeartbeat(this.#client, name, options.capacity ?? {});
    const list = () => this.#client.core.listPodForAllNamespaces();
    this.#follow = new Follow<V1Pod>(cluster.config(), '/api/v1/pods', list, {
      onChange: (pod) => this.#onPod(pod),
      onDelete: (pod) => void this.#onDeleted(pod),
    });
  }

  /** Registers the node; pods bound to it are started from now on. */
  static async start(cluster: Cluster, options: NodeOptions = {}): Promise<LocalNode> {
    const node = new LocalNode(cluster, options.name ?? 'local', options);
    node.#writeNames({});
    await node.#heartbeat.start();
    await Promise.all([node.#follow.start(), node.#proxy.start(), node.#claims.start()]);
    return node;
  }

  /** Injects a fault into pods that `match`. @returns a function that removes it. */
  spoil(match: (pod: V1Pod) => boolean, faults: PodFaults): () => void {
    const entry = { match, faults };
    this.#faults.push(entry);
    return () => void this.#faults.splice(this.#faults.indexOf(entry), 1);
  }

  /** As in a power cut: its processes end at once, it reports nothing and renews nothing. */
  async vanish(): Promise<void> {
    this.#gone = true;
    this.#heartbeat.stop();
    await Promise.all([...this.#runners.values()].map((runner) => runner.cut()));
  }

  /** Process ids of a pod's running containers. */
  pids(podName: string): number[] {
    return this.#runner(podName)?.pids ?? [];
  }

  /** Start of the newest process of a pod's containers, in milliseconds since 1970; undefined if none runs. */
  startedAtMs(podName: string): number | undefined {
    return this.#runner(podName)?.startedAtMs;
  }

  /** File with a container's output, while its pod exists. */
  logFile(podName: string, container: string): string | undefined {
    return this.#runner(podName)?.logFile(container);
  }

  async close(): Promise<void> {
    this.#gone = true;
    this.#heartbeat.stop();
    await Promise.all([this.#follow.stop(), this.#claims.stop()]);
    await Promise.all([...this.#runners.values()].map((runner) => runner.cut()));
    await this.#proxy.stop();
    await Promise.all(this.#published.values());
  }

  #runner(podName: string): PodRunner | undefined {
    return [...this.#runners.values()].find(({ pod }) => pod.metadata!.name === podName);
  }

  #onPod(pod: V1Pod): void {
    if (pod.spec?.nodeName !== this.name || this.#gone) return;
    const uid = pod.metadata!.uid!;
    this.#pods.set(uid, pod);
    const runner = this.#runners.get(uid);
    if (pod.metadata!.deletionTimestamp !== undefined) return void this.#finish(pod, runner);
    if (runner || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
    this.#runners.set(uid, new PodRunner(pod, this.cluster.network.podAddress(), join(this.#root, uid), this.#host()));
    this.#publish(uid);
  }

  /** Ends a pod that is being deleted, then releases its object, as a kubelet does. */
  async #finish(pod: V1Pod, runner: PodRunner | undefined): Promise<void> {
    const { uid = '', name = '', namespace = '', deletionGracePeriodSeconds = 30 } = pod.metadata!;
    if (runner) {
      if (runner.stopping) return;
      await runner.stop(deletionGracePeriodSeconds * 1_000);
    }
    await this.#published.get(uid);
    while (!this.#gone) {
      try {
        await this.#client.delete(
          { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } },
          { graceSeconds: 0, uid },
        );
        return;
      } catch (error) {
        if (isStatus(error, 409)) return;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  /** Its object was removed, perhaps by force: so its processes are ended, too. */
  async #onDeleted(pod: V1Pod): Promise<void> {
    const uid = pod.metadata!.uid!;
    const runner = this.#runners.get(uid);
    this.#runners.delete(uid);
    this.#pods.delete(uid);
    await runner?.cut();
    await runner?.remove();
  }

  #host(): PodHost {
    return {
      hostIp: '127.0.0.1',
      backoff: { firstMs: 500, mostMs: 8_000, resetMs: 60_000, ...this.options.backoff },
      mostProbePeriodMs: 250,
      image: this.options.image ?? projectImage,
      env: (pod, root, folders) => this.#environment(pod, root, folders),
      sources: (pod, podIp) => sourcesOf(this.#client, pod, podIp, this.#claims),
      faults: (pod) => this.#faultsOf(pod),
      onChange: ({ pod }) => this.#publish(pod.metadata!.uid!),
    };
  }

  #accountConfig(root: string, account: string, namespace: string): string {
    const path = join(root, 'kubeconfig');
    // The JavaScript client looks for a token file of this name only, as inside a cluster.
    const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile: join(account, 'token') } } };
    writeFileSync(path, kubeconfigText(this.cluster.server, join(account, 'ca.crt'), user, namespace));
    return path;
  }

  #faultsOf(pod: V1Pod): PodFaults {
    const found = this.#faults.filter(({ match }) => match(pod));
    return found.reduce<PodFaults>((sum, { faults }) => ({ ...sum, ...faults }), {});
  }

  #environment(pod: V1Pod, root: string, folders: ReadonlyMap<string, string>): Record<string, string> {
    const { name = '', namespace = '' } = pod.metadata!;
    const temporary = folders.get('/tmp');
    const account = folders.get('/var/run/secrets/kubernetes.io/serviceaccount');
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: root,
      HOSTNAME: name,
      NODE_OPTIONS: `--import=${hooks}`,
      LOCKSTEP_TEST_DNS: this.#namesFile,
      LOCKSTEP_TEST_NAMESPACE: namespace,
      ...(temporary === undefined ? {} : { TMPDIR: temporary }),
      // The paths a client reads inside a cluster are absolute; this kubeconfig has the same content.
      ...(account === undefined ? {} : { KUBECONFIG: this.#accountConfig(root, account, namespace) }),
      ...this.options.env,
    };
  }

  /** Writes the pod's status, and again if it has changed meanwhile; one write at a time. */
  #publish(uid: string): void {
    this.#dirty.add(uid);
    if (this.#published.has(uid)) return;
    const work = this.#publishAll(uid).finally(() => this.#published.delete(uid));
    this.#published.set(uid, work);
  }

  async #publishAll(uid: string): Promise<void> {
    // Simultaneous changes are reported together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#dirty.delete(uid) && !this.#gone) {
      const [pod, runner] = [this.#pods.get(uid), this.#runners.get(uid)];
      if (!pod || !runner) return;
      try {
        const { name = '', namespace = '' } = pod.metadata!;
        const body = { metadata: { uid }, status: runner.status(pod) };
        const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
        await unlessAbsent(this.#client.core.patchNamespacedPodStatus({ name, namespace, body }, merge));
      } catch (error) {
        // Another pod has this name now: the status is obsolete.
        if (isStatus(error, 409)) return;
        this.#dirty.add(uid);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  get #namesFile(): string {
    return join(this.#root, 'names.json');
  }

  #writeNames(names: Readonly<Record<string, readonly string[]>>): void {
    writeFileSync(`${this.#namesFile}.new`, JSON.stringify(names));
    renameSync(`${this.#namesFile}.new`, this.#namesFile);
  }
}
