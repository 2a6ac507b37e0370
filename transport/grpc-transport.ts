import type { ServerDuplexStream } from '@grpc/grpc-js';
import { checkChunk } from '../proto/chunks.js';
import type { ClusterError } from '../proto/errors.js';
import type { Compute, ReceivedFromWorker, ToWorker } from '../proto/messages.js';
import type { OutgoingVector } from './outgoing-vector.js';
import type { Encoded } from './services.js';
import type { TransportListener, WorkerTransport } from './worker-transport.js';

/** Coordinator's end of a worker's Join stream. */
export type JoinStream = ServerDuplexStream<ReceivedFromWorker, ToWorker | Encoded>;

export interface GrpcTransportOptions {
  readonly workerId: string;
  /** Length of parameters and gradients. */
  readonly parameterCount: number;
}

/** Carries a session's steps over its Join stream. */
export class GrpcTransport implements WorkerTransport {
  constructor(
    private readonly stream: JoinStream,
    private readonly options: GrpcTransportOptions,
  ) {}

  listen({ onPartial, onLost }: TransportListener): void {
    const { workerId, parameterCount } = this.options;
    this.stream.on('data', (received: ReceivedFromWorker) => {
      if (received.message !== 'partial') return;
      const { partial } = received;
      try {
        checkChunk(parameterCount, partial, `partial of step ${partial.step} from ${workerId}`);
      } catch (error) {
        return onLost(error as ClusterError);
      }
      onPartial(partial);
    });
  }

  compute(message: Compute, parameters: OutgoingVector | undefined): void {
    this.stream.write({ compute: message });
    if (parameters) writeVector(this.stream, parameters);
  }
}

export function writeVector(stream: JoinStream, vector: OutgoingVector): void {
  for (const message of vector.messages()) stream.write(message);
}
