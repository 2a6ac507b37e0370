import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { requireToken } from '../proto/auth.js';
import { ClusterError } from '../proto/errors.js';
import type { DataChunk, FetchRequest, ReceivedFromWorker, StatusReply, ToWorker } from '../proto/messages.js';
import { channelOptions, Cluster, Control, Data } from '../proto/services.js';
import { type Endpoint, formatEndpoint } from './listen.js';

export interface Handlers {
  readonly cluster: { readonly Join: handleBidiStreamingCall<ReceivedFromWorker, ToWorker> };
  readonly data: { readonly Fetch: handleServerStreamingCall<FetchRequest, DataChunk> };
  readonly control: { readonly Status: handleUnaryCall<object, StatusReply> };
}

/** A gRPC server with the cluster's services and the standard health service, which says SERVING while it runs. */
export class ClusterServer {
  readonly #server: Server;
  readonly #health = new HealthImplementation({ '': 'SERVING', 'lockstep.v1.Cluster': 'SERVING' });

  constructor(handlers: Handlers, token?: string) {
    this.#server = new Server({ ...channelOptions, interceptors: token === undefined ? [] : [requireToken(token)] });
    this.#server.addService(Cluster.service, handlers.cluster);
    this.#server.addService(Data.service, handlers.data);
    this.#server.addService(Control.service, handlers.control);
    this.#health.addToServer(this.#server);
  }

  /** @returns the endpoint with the port that was taken. @throws ClusterError PORT_IN_USE */
  async listen(endpoint: Endpoint): Promise<Endpoint> {
    const address = formatEndpoint(endpoint);
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error) reject(cannotListen(address, error));
        else resolve(bound);
      });
    });
    return { host: endpoint.host, port };
  }

  /** Ends when the open calls are over, or after `limitMs`, whichever comes first. */
  async close(limitMs: number): Promise<void> {
    this.#health.setStatus('', 'NOT_SERVING');
    this.#health.setStatus('lockstep.v1.Cluster', 'NOT_SERVING');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, limitMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function cannotListen(address: string, cause: Error): ClusterError {
  const taken = cause.message.includes('EADDRINUSE');
  const found = taken ? 'another program is listening there' : cause.message;
  const advice = taken ? 'stop that program, or choose' : 'choose an address of this machine, or';
  return new ClusterError(
    'PORT_IN_USE',
    `listen: expected to listen on ${address}, got: ${found}; ` +
      `${advice} another port with --listen HOST:PORT (port 0 takes a free one)`,
    { cause },
  );
}
