import { connect, createServer, type Server, type Socket } from 'node:net';
import type { KubeConfig, V1Pod, V1Service, V1ServicePort } from '@kubernetes/client-node';
import { ApiClient } from '../api-client.js';
import { Follow } from '../follow.js';
import { endpointsOf, namesOf } from './service-endpoints.js';

/** Replaces kube-proxy and the cluster's name server: listens on cluster addresses, forwards to ready pods. */
export class ServiceProxy {
  readonly #services = new Map<string, V1Service>();
  readonly #pods = new Map<string, V1Pod>();
  readonly #servers = new Map<string, Server>();
  readonly #sockets = new Set<Socket>();
  readonly #follows: Follow<V1Service | V1Pod>[];
  #turn = 0;

  /** @param onNames - called whenever a name or its addresses have changed. */
  constructor(
    config: KubeConfig,
    private readonly onNames: (names: Record<string, string[]>) => void,
  ) {
    const { core } = new ApiClient(config);
    const keep = <Kind extends V1Service | V1Pod>(map: Map<string, Kind>) => ({
      onChange: (object: Kind) => this.#update(() => map.set(object.metadata!.uid!, object)),
      onDelete: (object: Kind) => this.#update(() => map.delete(object.metadata!.uid!)),
    });
    this.#follows = [
      new Follow(config, '/api/v1/services', () => core.listServiceForAllNamespaces(), keep(this.#services)),
      new Follow(config, '/api/v1/pods', () => core.listPodForAllNamespaces(), keep(this.#pods)),
    ];
  }

  async start(): Promise<void> {
    await Promise.all(this.#follows.map((follow) => follow.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#follows.map((follow) => follow.stop()));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#servers.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #update(change: () => void): void {
    change();
    const wanted = new Set<string>();
    for (const [uid, service] of this.#services) {
      for (const port of service.spec?.ports ?? []) {
        const address = service.spec?.clusterIP ?? 'None';
        // The API server's own service has no pods.
        if (address === 'None' || address === '' || !service.spec?.selector) continue;
        const key = `${uid} ${address} ${port.port}`;
        wanted.add(key);
        if (!this.#servers.has(key)) this.#servers.set(key, this.#listen(uid, address, port));
      }
    }
    for (const [key, server] of this.#servers) {
      if (wanted.has(key)) continue;
      server.close();
      this.#servers.delete(key);
    }
    this.onNames(namesOf(this.#services.values(), [...this.#pods.values()]));
  }

  #listen(uid: string, address: string, port: V1ServicePort): Server {
    const server = createServer((incoming) => this.#forward(uid, port, incoming));
    server.on('error', () => undefined);
    return server.listen(port.port, address);
  }

  /** Without a ready pod the connection is refused, as kube-proxy does. */
  #forward(uid: string, port: V1ServicePort, incoming: Socket): void {
    const service = this.#services.get(uid);
    const endpoints = service ? endpointsOf(service, port, this.#pods.values()) : [];
    const endpoint = endpoints[this.#turn++ % Math.max(1, endpoints.length)];
    if (!endpoint) return void incoming.resetAndDestroy();
    const outgoing = connect(endpoint);
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
  }
}
