import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
  type StatusObject,
} from '@grpc/grpc-js';
import type { BeatStream } from '../../coordinator/membership/beat-service.js';
import type {
  Alive,
  DataChunk,
  FetchRequest,
  Heartbeat,
  ReceivedFromWorker,
  ReceivedToWorker,
} from '../../proto/messages.js';
import { channelOptions, Cluster, Data } from '../../transport/services.js';

type Near = ServerDuplexStream<ReceivedFromWorker, ReceivedToWorker>;
type Far = ClientDuplexStream<ReceivedFromWorker, ReceivedToWorker>;

export interface RelayOptions {
  /** Address of the coordinator, or of the cable to it. */
  readonly target: () => string;
  /** The messages to forward in place of one message: none, the same, or others. */
  readonly toWorker: (message: ReceivedToWorker) => ReceivedToWorker[];
  readonly fromWorker: (message: ReceivedFromWorker) => ReceivedFromWorker[];
  /** A Join stream is over. */
  readonly ended: () => void;
}

/** A gRPC man in the middle between one worker and the coordinator: reads and forwards every message. */
export class Relay {
  readonly #server = new Server(channelOptions);

  port = 0;

  private constructor(private readonly options: RelayOptions) {
    this.#server.addService(Cluster.service, {
      Join: (near: Near) => this.#join(near),
      Beat: (near: BeatStream) => this.#beat(near),
    });
    this.#server.addService(Data.service, {
      Fetch: (near: ServerWritableStream<FetchRequest, DataChunk>) => this.#fetch(near),
    });
  }

  static async open(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options);
    relay.port = await new Promise<number>((resolve, reject) => {
      relay.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return relay;
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #join(near: Near): void {
    const client = new Cluster(this.options.target(), credentials.createInsecure(), clientOptions);
    const far = client.Join(forwarded(near.metadata)) as unknown as Far;
    pump(near, far, this.options.fromWorker);
    pump(far, near, this.options.toWorker);
    near.on('end', () => far.end());
    connectEnds(near, far, () => {
      client.close();
      this.options.ended();
    });
  }

  #beat(near: BeatStream): void {
    const client = new Cluster(this.options.target(), credentials.createInsecure(), clientOptions);
    const far = client.Beat(forwarded(near.metadata));
    pump(near, far, (heartbeat: Heartbeat) => [heartbeat]);
    pump(far, near, (alive: Alive) => [alive]);
    near.on('end', () => far.end());
    connectEnds(near, far, () => client.close());
  }

  #fetch(near: ServerWritableStream<FetchRequest, DataChunk>): void {
    const client = new Data(this.options.target(), credentials.createInsecure(), clientOptions);
    const far = client.Fetch(near.request, forwarded(near.metadata));
    pump(far, near, (chunk: DataChunk) => [chunk]);
    connectEnds(near, far, () => client.close());
  }
}

/** A separate connection for every call, so that cutting one affects only that call. */
const clientOptions = { ...channelOptions, 'grpc.use_local_subchannel_pool': 1 };

/** The caller's metadata without the fields of its connection. */
function forwarded(metadata: Metadata): Metadata {
  const own = metadata.clone();
  own.remove('user-agent');
  return own;
}

interface Source<Message> {
  on(event: 'data', listener: (message: Message) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}
interface Sink<Message> {
  write(message: Message): boolean;
  once(event: 'drain', listener: () => void): unknown;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
}

function pump<Message>(from: Source<Message>, to: Sink<Message>, transform: (message: Message) => Message[]): void {
  from.on('data', (message) => {
    for (const passed of transform(message)) {
      if (to.destroyed || to.writableEnded || to.write(passed)) continue;
      from.pause();
      to.once('drain', () => from.resume());
    }
  });
}

/** The end of either call ends the other, with the coordinator's own status where there is one. */
function connectEnds(
  near: Near | BeatStream | ServerWritableStream<FetchRequest, DataChunk>,
  far: Far | ClientDuplexStream<Heartbeat, Alive> | ClientReadableStream<DataChunk>,
  ended: () => void,
): void {
  near.on('cancelled', () => far.cancel());
  near.on('error', () => far.cancel());
  far.on('error', () => undefined);
  far.on('status', ({ code, details, metadata }: StatusObject) => {
    if (code === status.OK) near.end();
    else if (!near.cancelled) near.emit('error', { code, details, metadata });
    ended();
  });
}
