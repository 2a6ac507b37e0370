import type { ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Server as Listener, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import {
  type ChannelOptions,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { requireToken } from '../../transport/auth.js';
import { ClusterError } from '../../proto/errors.js';
import type {
  Alive,
  DataChunk,
  FetchRequest,
  Heartbeat,
  ReceivedFromWorker,
  StatusReply,
  ToWorker,
} from '../../proto/messages.js';
import { channelOptions, Cluster, Control, Data } from '../../transport/services.js';
import type { TlsIdentity } from '../../transport/tls-identity.js';
import { isTrusted, mutualTls } from '../../transport/tls.js';
import { Admission, type Dropped, peerOf } from '../../transport/admission/admission.js';
import { workerPortLimits } from '../../transport/admission/limits.js';
import { dropSilent, limitSessions, onConnection, raiseWindows } from './connections.js';
import { type Endpoint, formatEndpoint, type Protection } from '../../transport/listen.js';
import { RejectedPeers } from './rejected-peers.js';

export interface Handlers {
  readonly cluster: {
    readonly Join: handleBidiStreamingCall<ReceivedFromWorker, ToWorker>;
    readonly Beat: handleBidiStreamingCall<Heartbeat, Alive>;
  };
  readonly data: { readonly Fetch: handleServerStreamingCall<FetchRequest, DataChunk> };
  readonly control: { readonly Status: handleUnaryCall<object, StatusReply> };
}

/**
 * Maximum number of open connections in any state, which leaves file descriptors for files. `Admission` has lower
 * limits.
 */
const maxConnections = workerPortLimits.authenticated.total + workerPortLimits.waiting.total + 512;
/** Calls that a connection may start before one of them authenticates it. */
const maxEarlyCalls = 8;

/** Concurrent calls on one connection. gRPC's keepalive is off: answers to its pings may wait long behind vectors. */
const callLimits = { 'grpc.max_concurrent_streams': 16 } satisfies ChannelOptions;

/** gRPC server of the cluster's services and of the standard health service, which answers SERVING while it runs. */
export class ClusterServer {
  readonly #server: Server;
  #listener: Listener | undefined;
  /** Open connections; gRPC's own shutdown doesn't close those that have sent nothing. */
  readonly #sockets = new Set<Socket>();
  /** The same by the peer's `ADDRESS:PORT`. */
  readonly #peers = new Map<string, Socket>();
  #admission: Admission | undefined;
  readonly #health = new HealthImplementation({ '': 'SERVING', 'lockstep.v1.Cluster': 'SERVING' });

  constructor(
    handlers: Handlers,
    private readonly protection: Pick<Protection, 'token' | 'tls'> = {},
    private readonly limits = workerPortLimits,
  ) {
    const { token } = protection;
    const noted = noteMessages((peer) => this.#admission?.authenticated(peer));
    const interceptors = token === undefined ? [noted] : [requireToken(token), noted];
    this.#server = new Server({ ...channelOptions, ...callLimits, interceptors });
    this.#server.addService(Cluster.service, handlers.cluster);
    this.#server.addService(Data.service, handlers.data);
    this.#server.addService(Control.service, handlers.control);
    this.#health.addToServer(this.#server);
  }

  /** @returns the endpoint with the actual port. @throws ClusterError PORT_IN_USE */
  async listen(endpoint: Endpoint): Promise<Endpoint> {
    const listener = (this.#listener = this.#createListener());
    listener.maxConnections = maxConnections;
    listener.on('connection', (socket) => {
      const peer = peerOf(socket);
      this.#sockets.add(socket);
      this.#peers.set(peer, socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        if (this.#peers.get(peer) === socket) this.#peers.delete(peer);
      });
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', (error) => reject(cannotListen(formatEndpoint(endpoint), error)));
      listener.listen(endpoint.port, endpoint.host, resolve);
    });
    return { host: endpoint.host, port: (listener.address() as AddressInfo).port };
  }

  /** Connections that were dropped before they authenticated. */
  get dropped(): Dropped {
    return this.#admission?.dropped ?? { count: 0, address: '' };
  }

  /** Bytes received so far on the connection from `peer`, its `ADDRESS:PORT` as gRPC names it; 0 without one. */
  bytesFrom(peer: string): number {
    return this.#peers.get(peer)?.bytesRead ?? 0;
  }

  /** Creates the listener. gRPC's server receives only connections with a trusted certificate. */
  #createListener(): Listener {
    limitSessions(this.#server);
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    onConnection(this.#server, (session) => {
      raiseWindows(session, channelOptions['grpc-node.flow_control_window']);
      dropSilent(session);
      this.#limitEarlyCalls(session);
    });
    const { tls } = this.protection;
    const secure = tls && this.#createTlsServer(tls, (socket) => injector.injectConnection(socket));
    this.#admission = new Admission(this.limits, (socket) => {
      if (secure) secure.emit('connection', socket);
      else injector.injectConnection(socket);
      socket.resume();
    });
    return createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#admission!.add(socket));
  }

  /** Drops a connection that starts many calls without authenticating; never drops authenticated ones. */
  #limitEarlyCalls(session: ServerHttp2Session): void {
    const peer = peerOf(session.socket);
    let calls = 0;
    session.on('stream', () => {
      if (++calls > maxEarlyCalls) this.#admission?.reject(peer);
    });
  }

  /** Creates a TLS server that doesn't listen: the listener's connections are emitted on it. */
  #createTlsServer(tls: TlsIdentity, inject: (socket: TLSSocket) => void): TlsServer {
    const rejected = new RejectedPeers();
    const server = createTlsServer({ ...mutualTls(tls), ALPNProtocols: ['h2'] }, (socket) => {
      socket.on('error', () => undefined);
      if (isTrusted(socket)) inject(socket);
      else rejected.reject(socket);
    });
    tls.onChange?.(() => server.setSecureContext(mutualTls(tls)));
    return server;
  }

  /** Closes when all open calls have ended, or after `limitMs`. */
  async close(limitMs: number): Promise<void> {
    this.#listener?.close();
    this.#admission?.close();
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
    for (const socket of this.#sockets) socket.destroy();
  }
}

/**
 * Calls `onMessage` with the peer (`ADDRESS:PORT`) of each call once a complete message has arrived. Behind
 * `requireToken`, this covers only calls that carry the token.
 */
function noteMessages(onMessage: (peer: string) => void): ServerInterceptor {
  return (_method, call) => {
    let isNoted = false;
    const listener = new ServerListenerBuilder().withOnReceiveMessage((message, next) => {
      if (!isNoted) onMessage(call.getPeer());
      isNoted = true;
      next(message);
    });
    return new ServerInterceptingCall(call, { start: (next) => next(listener.build()) });
  };
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
