import { PatchStrategy, setHeaderOptions, type V1Node } from '@kubernetes/client-node';
import { type ApiClient } from '../api-client.js';

const renewMs = 1_000;
const namespace = 'kube-node-lease';

/**
 * Registers a node, reports it as ready, and renews its lease until stopped. Reports it as ready with each renewal: if
 * the API server was unavailable for long, the cluster has marked the node as lost.
 */
export class NodeHeartbeat {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly client: ApiClient,
    private readonly name: string,
    private readonly capacity: Readonly<Record<string, string>>,
  ) {}

  async start(): Promise<void> {
    await this.client.apply(nodeObject(this.name));
    await this.#renew();
    this.#timer = setInterval(() => void this.#renew().catch(() => undefined), renewMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    // Micro time: six digits, which JavaScript's dates do not have.
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    await this.client.apply({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: this.name, namespace },
      spec: { holderIdentity: this.name, leaseDurationSeconds: 10, renewTime },
    });
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    const body = { status: nodeStatus({ cpu: '64', memory: '256Gi', pods: '1000', ...this.capacity }) };
    await this.client.core.patchNodeStatus({ name: this.name, body }, merge);
  }
}

function nodeObject(name: string): V1Node {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } };
}

function nodeStatus(capacity: Readonly<Record<string, string>>) {
  const now = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'NodeReady', message: 'runs pods as processes' };
  return {
    capacity,
    allocatable: capacity,
    conditions: [{ ...ready, lastHeartbeatTime: now, lastTransitionTime: now }],
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
  };
}
