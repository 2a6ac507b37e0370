import {
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceError,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { onTestFinished } from 'vitest';
import { type BeatStream, serveBeats } from '../../coordinator/membership/beat-service.js';
import {
  channelOptions,
  Cluster,
  type ClusterClient,
  Control,
  type ControlClient,
  Data,
  type DataClient,
} from '../../transport/services.js';

/** A handler of each service; calls to those left out end with UNIMPLEMENTED. */
export interface Handlers {
  readonly Join?: UntypedHandleCall;
  /** By default, heartbeats are answered as if every worker had joined. */
  readonly Beat?: UntypedHandleCall;
  readonly Fetch?: UntypedHandleCall;
  readonly Status?: UntypedHandleCall;
  readonly Watch?: UntypedHandleCall;
}

/** A real server on a free loopback port, closed after the test. @returns its address. */
export async function serve(handlers: Handlers, interceptors: ServerInterceptor[] = []): Promise<string> {
  const server = new Server({ ...channelOptions, interceptors });
  const { Join, Fetch, Status, Watch, Beat = beat } = handlers;
  if (Join) server.addService(Cluster.service, { Join, Beat });
  if (Fetch) server.addService(Data.service, { Fetch });
  if (Status || Watch) server.addService(Control.service, { ...(Status && { Status }), ...(Watch && { Watch }) });
  new HealthImplementation({ '': 'SERVING' }).addToServer(server);
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return `127.0.0.1:${port}`;
}

const beat = (stream: BeatStream) => serveBeats(stream, () => true);

const options = { ...channelOptions, 'grpc.use_local_subchannel_pool': 1 };

function closeAfterwards<Client extends { close(): void }>(client: Client): Client {
  onTestFinished(() => client.close());
  return client;
}

export function clusterClient(address: string): ClusterClient {
  return closeAfterwards(new Cluster(address, credentials.createInsecure(), options));
}

export function dataClient(address: string): DataClient {
  return closeAfterwards(new Data(address, credentials.createInsecure(), options));
}

export function controlClient(address: string): ControlClient {
  return closeAfterwards(new Control(address, credentials.createInsecure(), options));
}

/** Rejects, naming what is missing, when `promise` has not settled in time. */
export async function within<T>(promise: Promise<T>, what: string, limitMs = 5_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`expected ${what} within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

type HealthAnswer = (error: ServiceError | null, reply: { status: string }) => void;
/** The generated method of the standard health client. */
export type HealthCheck = (request: { service: string }, ...rest: [Metadata, HealthAnswer] | [HealthAnswer]) => void;
