import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type GrpcObject,
  loadPackageDefinition,
  type Metadata,
  type MethodDefinition,
  type ServiceClientConstructor,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type {
  Alive,
  ControlReply,
  DataChunk,
  FetchRequest,
  FromWorker,
  Heartbeat,
  HistoryReply,
  ReceivedToWorker,
  StatusReply,
  ToWorker,
} from '../proto/messages.js';

/** Version of the contract; raised when a change makes older workers unusable. */
export const PROTOCOL_VERSION = 3;

/** Length of `Hello.beat_key`. */
export const beatKeyBytes = 16;

/**
 * Options of every channel and server. The flow-control window covers a whole step's parameters, so that a sender does
 * not wait for window updates in mid-vector; messages stay small because tensors travel in chunks.
 */
export const channelOptions = {
  'grpc-node.flow_control_window': 8 * 1024 * 1024,
  'grpc.max_receive_message_length': 8 * 1024 * 1024,
  'grpc.max_send_message_length': 8 * 1024 * 1024,
} satisfies ChannelOptions;

export interface ClusterClient extends InstanceType<ServiceClientConstructor> {
  Join(metadata: Metadata): ClientDuplexStream<FromWorker, ReceivedToWorker>;
  Beat(metadata: Metadata): ClientDuplexStream<Heartbeat, Alive>;
}
export interface DataClient extends InstanceType<ServiceClientConstructor> {
  Fetch(request: FetchRequest, metadata: Metadata): ClientReadableStream<DataChunk>;
}
type Unary<Reply> = (
  request: object,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, reply?: Reply) => void,
) => unknown;
export interface ControlClient extends InstanceType<ServiceClientConstructor> {
  Status: Unary<StatusReply>;
  Watch(request: object, metadata: Metadata): ClientReadableStream<StatusReply>;
  History: Unary<HistoryReply>;
  Pause: Unary<ControlReply>;
  Resume: Unary<ControlReply>;
  Checkpoint: Unary<ControlReply>;
  Stop: Unary<ControlReply>;
  Scale: Unary<ControlReply>;
}

/**
 * A message that is encoded when the first connection comes to write it, and once: it can be written to any number of
 * Join streams.
 */
export class Encoded {
  #bytes: Buffer | undefined;

  constructor(private readonly message: () => ToWorker) {}

  get bytes(): Buffer {
    return (this.#bytes ??= encodeToWorker(this.message()));
  }
}

interface Service<Client> {
  new (address: string, credentials: unknown, options?: ChannelOptions): Client;
  readonly service: ServiceDefinition;
}

/** The build copies the .proto files, so the folder is beside this one in the source and in `dist`. */
const root = fileURLToPath(new URL('../proto', import.meta.url));
const definition = loadSync(
  ['cluster', 'data', 'control'].map((name) => join('lockstep', 'v1', `${name}.proto`)),
  { includeDirs: [root], longs: Number, enums: String, defaults: true, oneofs: true },
);
const v1 = (loadPackageDefinition(definition)['lockstep'] as GrpcObject)['v1'] as GrpcObject;

export const Cluster = v1['Cluster'] as unknown as Service<ClusterClient>;
const joinMethod = Cluster.service['Join'] as MethodDefinition<FromWorker, ToWorker | Encoded>;
const encodeToWorker = joinMethod.responseSerialize;
joinMethod.responseSerialize = (message) => (message instanceof Encoded ? message.bytes : encodeToWorker(message));

const decodeFromWorker = joinMethod.requestDeserialize;
/** What the coordinator gets in the place of bytes that are no message: gRPC would end the call without a word. */
const unreadable = { message: 'a message that cannot be read' } as unknown as FromWorker;
joinMethod.requestDeserialize = (bytes) => {
  try {
    return decodeFromWorker(bytes);
  } catch {
    return unreadable;
  }
};

export const Data = v1['Data'] as unknown as Service<DataClient>;
export const Control = v1['Control'] as unknown as Service<ControlClient>;
