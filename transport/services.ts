import {
  type ChannelOptions,
  type ClientDuplexStream,
  loadPackageDefinition,
  type Metadata,
  type MethodDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoFiles, protoFolder } from '../proto/contract.js';
import type { ProtoGrpcType as ClusterPackage } from '../proto/generated/cluster.js';
import type { ProtoGrpcType as ControlPackage } from '../proto/generated/control.js';
import type { ProtoGrpcType as DataPackage } from '../proto/generated/data.js';
import type { ClusterClient as GeneratedClusterClient } from '../proto/generated/lockstep/v1/Cluster.js';
import type { FromWorker, ReceivedToWorker, ToWorker } from '../proto/messages.js';

export type { ControlClient } from '../proto/generated/lockstep/v1/Control.js';
export type { DataClient } from '../proto/generated/lockstep/v1/Data.js';

/** Version of the contract; raised when a change makes older workers unusable. */
export const PROTOCOL_VERSION = 4;

/** Length of `Hello.beat_key`. */
export const beatKeyBytes = 16;

/**
 * Options of every channel and server. The flow-control window covers a whole step's parameters, so that a sender does
 * not wait for window updates within a vector; messages stay small because tensors travel in chunks.
 */
export const channelOptions = {
  'grpc-node.flow_control_window': 8 * 1024 * 1024,
  'grpc.max_receive_message_length': 8 * 1024 * 1024,
  'grpc.max_send_message_length': 8 * 1024 * 1024,
} satisfies ChannelOptions;

/** Client of Cluster; the messages of Join are narrowed to exactly one field. */
export interface ClusterClient extends Omit<GeneratedClusterClient, 'Join' | 'join'> {
  Join(metadata: Metadata): ClientDuplexStream<FromWorker, ReceivedToWorker>;
}

/** A message that is encoded once, when it is first written, and can be written to any number of Join streams. */
export class Encoded {
  #bytes: Buffer | undefined;

  constructor(private readonly message: () => ToWorker) {}

  get bytes(): Buffer {
    return (this.#bytes ??= encodeToWorker(this.message()));
  }
}

// The generated types fit these options: see scripts/proto.mjs.
const definition = loadSync(protoFiles, {
  ...{ includeDirs: [protoFolder], longs: Number, enums: String, defaults: true, oneofs: true },
});
const { v1 } = (loadPackageDefinition(definition) as unknown as ClusterPackage & ControlPackage & DataPackage).lockstep;

export const { Control, Data } = v1;
export const Cluster = v1.Cluster as unknown as (new (
  ...args: ConstructorParameters<typeof v1.Cluster>
) => ClusterClient) &
  Pick<typeof v1.Cluster, 'service'>;

const joinMethod = Cluster.service.Join as MethodDefinition<FromWorker, ToWorker | Encoded>;
const encodeToWorker = joinMethod.responseSerialize;
joinMethod.responseSerialize = (message) => (message instanceof Encoded ? message.bytes : encodeToWorker(message));

const decodeFromWorker = joinMethod.requestDeserialize;
/** Stands for bytes that can't be decoded, for which gRPC would end the call without a reason. */
const unreadable = { message: 'a message that cannot be decoded' } as unknown as FromWorker;
joinMethod.requestDeserialize = (bytes) => {
  try {
    return decodeFromWorker(bytes);
  } catch {
    return unreadable;
  }
};
