import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeConfig, loadAllYaml, type KubernetesObject } from '@kubernetes/client-node';
import type { Cluster } from './cluster.js';
import { Program } from './program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'operator', 'main.js');
const readyLimitMs = 30_000;
export const operatorNamespace = 'lockstep-system';
export const operatorManifests = join(root, 'deploy', 'operator', 'manifests');
export const namespacedManifests = `${operatorManifests}-namespaced`;
export const trainingJobCrd = join(root, 'deploy', 'crd', 'trainingjob.yaml');

/**
 * Applies a folder of manifests except the Deployment: in tests the operator runs as a process, with the same rights.
 */
export async function installOperator(cluster: Cluster, folder = operatorManifests): Promise<void> {
  const rendered = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  const objects = loadAllYaml(rendered) as KubernetesObject[];
  const client = cluster.client();
  for (const object of objects) if (object.kind !== 'Deployment') await client.apply(object);
}

/** A kubeconfig with which the operator's own ServiceAccount calls the API server. @param server - its address. */
export async function operatorKubeconfig(cluster: Cluster, server = cluster.server): Promise<string> {
  const { core } = cluster.client();
  const request = { spec: { audiences: [], expirationSeconds: 7200 } };
  const account = { name: 'lockstep-operator', namespace: operatorNamespace, body: request };
  const { status } = await core.createNamespacedServiceAccountToken(account);
  const config = new KubeConfig();
  const user = { name: 'operator', token: status!.token };
  config.loadFromClusterAndUser({ name: 'test', server, caFile: cluster.caFile, skipTLSVerify: false }, user);
  const file = join(cluster.directory, `operator-${Math.random().toString(36).slice(2)}`);
  writeFileSync(file, config.exportConfig(), { mode: 0o600 });
  return file;
}

/** The operator as a separate process. */
export class OperatorProcess {
  readonly #program: Program;

  private constructor(kubeconfig: string, args: readonly string[], nodeArgs: readonly string[]) {
    const own = [
      '--kubeconfig',
      kubeconfig,
      '--lease-namespace',
      operatorNamespace,
      '--listen',
      '127.0.0.1:0',
      '--metrics',
      '127.0.0.1:0',
    ];
    const all = [...nodeArgs, main, '--image', 'lockstep:test', ...own, ...args];
    const logFile = `${kubeconfig}-${Math.random().toString(36).slice(2)}.log`;
    this.#program = new Program('operator', process.execPath, all, logFile);
  }

  /** Starts one and waits until it has listed everything; it may not be the leader yet. */
  static async start(
    kubeconfig: string,
    args: readonly string[] = [],
    nodeArgs: readonly string[] = [],
  ): Promise<OperatorProcess> {
    const operator = new OperatorProcess(kubeconfig, args, nodeArgs);
    const ready = async () => operator.ports !== undefined && (await operator.#isReady());
    try {
      await operator.#program.until(ready, readyLimitMs);
    } catch (error) {
      await operator.end('SIGKILL');
      throw error;
    }
    return operator;
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Port of health and metrics, once it listens. */
  get ports(): { readonly health: number; readonly metrics: number } | undefined {
    const [, health, metrics] = /health on port (\d+), metrics on port (\d+)/.exec(this.log) ?? [];
    return health === undefined ? undefined : { health: Number(health), metrics: Number(metrics) };
  }

  get log(): string {
    return readFileSync(this.#program.logFile, 'utf8');
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.ports?.metrics}/metrics`)).text();
  }

  /** Value of a metric; the sum over its labels. */
  async metric(name: string): Promise<number> {
    const lines = (await this.metrics()).split('\n').filter((line) => line.startsWith(name));
    const values = lines
      .filter((line) => /^[^ {]+/.exec(line)?.[0] === name)
      .map((line) => Number(line.split(' ').at(-1)));
    return values.reduce((sum, value) => sum + value, 0);
  }

  async isLeading(): Promise<boolean> {
    return (await this.metric('lockstep_operator_leading')) === 1;
  }

  untilLeading(limitMs: number): Promise<void> {
    return this.#program.until(() => this.isLeading(), limitMs);
  }

  end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    return this.#program.end(signal);
  }

  async #isReady(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.ports?.health}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  }
}
