import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { freePort } from '../e2e/lockstep.js';
import { type ControlPlaneProgram, programPath } from './assets.js';
import { ApiClient } from './api-client.js';
import {
  apiServerArguments,
  auditPolicy,
  controllerManagerArguments,
  type ControlPlanePlace,
  etcdArguments,
  kubeconfigText,
  schedulerArguments,
} from './control-plane.js';
import { LoopbackNetwork } from './loopback-network.js';
import { Program } from './program.js';
import { type AuditedRequest, readAudit } from './requests.js';

const startLimitMs = 60_000;

export interface ClusterOptions {
  /**
   * Files of CustomResourceDefinitions, applied before the controllers start, so that these know them from the
   * beginning.
   */
  readonly crds?: readonly string[];
  /** Default true. Without them, nothing creates pods, binds them or collects garbage. */
  readonly controllers?: boolean;
  /** How long a node may be silent; default 40 seconds, as in a cluster, as a busy machine stalls for seconds. */
  readonly nodeGraceSeconds?: number;
}

/** A real control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, on loopback and free ports. */
export class Cluster {
  readonly #programs = new Map<ControlPlaneProgram, Program>();
  readonly #token = randomBytes(16).toString('hex');

  private constructor(
    private readonly place: ControlPlanePlace,
    readonly network: LoopbackNetwork,
  ) {}

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const directory = mkdtempSync(join(tmpdir(), 'lockstep-kubernetes-'));
    const network = await LoopbackNetwork.claim();
    const [etcdPort, apiPort] = [await freePort(), await freePort()];
    const kubeconfig = join(directory, 'kubeconfig');
    const { nodeGraceSeconds = 40 } = options;
    const place = { directory, etcdPort, apiPort, kubeconfig, serviceNetwork: network.services, nodeGraceSeconds };
    const cluster = new Cluster(place, network);
    try {
      await cluster.#start(options);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** A file for `kubectl` and for `KUBECONFIG`; its user may do everything. */
  get kubeconfig(): string {
    return this.place.kubeconfig;
  }

  get directory(): string {
    return this.place.directory;
  }

  get server(): string {
    return `https://127.0.0.1:${this.place.apiPort}`;
  }

  get caFile(): string {
    return join(this.place.directory, 'certs', 'apiserver.crt');
  }

  /** A client that may do everything. */
  client(): ApiClient {
    return new ApiClient(this.config());
  }

  config(): KubeConfig {
    const config = new KubeConfig();
    config.loadFromFile(this.kubeconfig);
    return config;
  }

  /** Requests that the API server has answered so far, in order, whoever asked. */
  requests(): AuditedRequest[] {
    return readAudit(join(this.place.directory, 'audit.log'));
  }

  processId(program: ControlPlaneProgram): number {
    return this.#programs.get(program)!.pid;
  }

  logTail(program: ControlPlaneProgram): string {
    return this.#programs.get(program)!.logTail();
  }

  /** Ends the API server as a crash does: watches break, requests are refused. */
  async killApiServer(): Promise<void> {
    await this.#programs.get('kube-apiserver')!.end('SIGKILL');
  }

  /** Starts it on the same port, with etcd's data. */
  async startApiServer(): Promise<void> {
    const server = this.#run('kube-apiserver', apiServerArguments(this.place));
    await server.until(() => this.#answers('/readyz'), startLimitMs);
  }

  async close(): Promise<void> {
    const order = ['kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'] as const;
    // Nothing of it is needed any more, so nothing has to shut down gracefully.
    await Promise.all(order.map(async (name) => this.#programs.get(name)?.end('SIGKILL')));
    await this.network.release();
    rmSync(this.place.directory, { recursive: true, force: true });
  }

  async #start({ crds = [], controllers = true }: ClusterOptions): Promise<void> {
    this.#writeFiles();
    this.#run('etcd', etcdArguments(this.place));
    await this.startApiServer();
    const client = this.client();
    for (const file of crds) await client.applyFile(file);
    await Promise.all(crds.map((file) => client.untilEstablished(file, startLimitMs)));
    if (!controllers) return;
    this.#run('kube-scheduler', schedulerArguments(this.place));
    const manager = this.#run('kube-controller-manager', controllerManagerArguments(this.place));
    // Pods can't be created before their namespace has its service account.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } };
    await manager.until(async () => (await client.find(account)) !== undefined, startLimitMs);
  }

  #run(name: ControlPlaneProgram, args: readonly string[]): Program {
    const program = new Program(name, programPath(name), args, join(this.place.directory, `${name}.log`));
    this.#programs.set(name, program);
    return program;
  }

  #writeFiles(): void {
    const { directory } = this.place;
    const write = (name: string, text: string) => writeFileSync(join(directory, name), text, { mode: 0o600 });
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    write('accounts.pub', publicKey.export({ type: 'spki', format: 'pem' }) as string);
    write('accounts.key', privateKey.export({ type: 'pkcs1', format: 'pem' }) as string);
    write('tokens.csv', `${this.#token},tester,tester,system:masters\n`);
    write('audit-policy.yaml', auditPolicy);
    write('audit.log', '');
    write('kubeconfig', kubeconfigText(this.server, this.caFile, { token: this.#token }));
    mkdirSync(join(directory, 'certs'));
  }

  #answers(path: string): Promise<boolean> {
    return new Promise((resolve) => {
      const headers = { authorization: `Bearer ${this.#token}` };
      const asked = request(this.server + path, { headers, rejectUnauthorized: false, timeout: 2_000 }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asked.once('error', () => resolve(false));
      asked.once('timeout', () => asked.destroy());
      asked.end();
    });
  }
}
