import { Agent as HttpAgent } from 'node:http';
import { Agent, type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { ApiError } from './api-error.js';

/** Connection settings of the API server. They expire, because tokens and certificates are renewed in place. */
export interface Connection {
  readonly server: URL;
  readonly agent: HttpAgent;
  readonly headers: Readonly<Record<string, string>>;
}

/** Interval between reads of credentials, as in client-go. Pods' tokens are renewed long before they expire. */
const freshMs = 60_000;
/** Maximum number of idle sockets. */
const idleSockets = 32;

/**
 * Provides connections from a kubeconfig. `KubeConfig` creates an agent per request, and so a TLS handshake. Here one
 * agent is reused until the credentials change.
 */
export class Connector {
  #at = -Infinity;
  #current: { readonly connection: Connection; readonly identity: string } | undefined;

  constructor(private readonly config: KubeConfig) {}

  async get(): Promise<Connection> {
    if (!this.#current || performance.now() - this.#at > freshMs) await this.#refresh();
    return this.#current!.connection;
  }

  /** Makes the next request read the credentials again. */
  forget(): void {
    this.#at = -Infinity;
  }

  /** Closes idle connections, so the next requests open new ones. */
  dropIdle(): void {
    const idle = Object.values(this.#current?.connection.agent.freeSockets ?? {}).flat();
    for (const socket of idle) socket?.destroy();
  }

  close(): void {
    this.#current?.connection.agent.destroy();
  }

  async #refresh(): Promise<void> {
    const cluster = this.config.getCurrentCluster();
    if (!cluster) throw new ApiError('kubeconfig: expected a current context with a cluster, got none', 0, 'NoCluster');
    const options: RequestOptions = {};
    await this.config.applyToHTTPSOptions(options);
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    const identity = [ca, cert, key, servername, rejectUnauthorized].map(String).join('\n');
    const agent = this.#current?.identity === identity ? this.#current.connection.agent : this.#newAgent(options);
    const server = new URL(cluster.server);
    this.#current = { connection: { server, agent, headers: headersOf(options) }, identity };
    this.#at = performance.now();
  }

  #newAgent(options: RequestOptions): HttpAgent {
    const cluster = this.config.getCurrentCluster();
    // For a proxy, the client creates an agent.
    if (cluster?.proxyUrl !== undefined) return options.agent as HttpAgent;
    const shared = { keepAlive: true, maxSockets: Infinity, maxFreeSockets: idleSockets, scheduling: 'lifo' as const };
    if (cluster?.server.startsWith('http:')) return new HttpAgent(shared);
    const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options;
    const given = Object.entries({ ca, cert, key, passphrase, servername, rejectUnauthorized });
    return new Agent({ ...shared, ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) });
  }
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const sent = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
  const basic = typeof auth !== 'string' ? [] : [['Authorization', `Basic ${Buffer.from(auth).toString('base64')}`]];
  return Object.fromEntries([...sent, ...basic]) as Record<string, string>;
}
