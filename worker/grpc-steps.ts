import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { JobManifest } from '../job/manifest.js';
import { chunkCount, chunkFields, storeChunk } from '../proto/chunks.js';
import { ClusterError } from '../proto/errors.js';
import type { FromWorker, Parameters, ReceivedToWorker } from '../proto/messages.js';
import type { NodeResult } from '../transport/worker-transport.js';
import { monotonicMs } from '../util/clock.js';
import { BufferPool } from './buffer-pool.js';
import { checkCompute } from './check-compute.js';
import type { EngineThread } from './engine-thread.js';

/** Vectors and results on their way between a Join stream and the engine thread. */
type Engine = Pick<EngineThread, 'post' | 'onResult'>;

/** Worker's end of the gRPC transport: passes steps between a Join stream and the engine thread. */
export class GrpcSteps {
  /** A vector whose chunks are arriving. */
  #arriving:
    { readonly key: string; readonly values: Float32Array; readonly beginMs: number; received: number } | undefined;
  /** Buffers for parameters; the engine thread returns them with its results. */
  readonly #buffers: BufferPool;
  /** Gradients that the stream has read, to be returned to the engine thread. */
  #sent: Float32Array[] = [];

  constructor(
    private readonly stream: ClientDuplexStream<FromWorker, ReceivedToWorker>,
    private readonly engine: Engine,
    private readonly manifest: JobManifest,
  ) {
    this.#buffers = new BufferPool(manifest.parameterCount);
    engine.onResult = (result, used) => this.#send(result, used);
  }

  /** True while a vector is arriving. */
  get isReceiving(): boolean {
    return this.#arriving !== undefined;
  }

  /** @throws ClusterError BAD_MESSAGE if the message doesn't fit the job, BAD_CHUNK if a chunk is damaged or missing. */
  received(message: ReceivedToWorker & { message: 'compute' | 'parameters' }): void {
    if (message.message === 'parameters') return this.#parameters(message.parameters);
    checkCompute(message.compute, this.manifest);
    this.engine.post({ kind: 'compute', message: message.compute, receivedMs: monotonicMs() });
  }

  #parameters(message: Parameters): void {
    const { step, evaluation, chunk, chunks } = message;
    const key = `${step}/${evaluation}`;
    if (chunk === 0) {
      this.#arriving = { key, values: this.#bufferFor(evaluation), beginMs: monotonicMs(), received: 0 };
    }
    const expected = this.#arriving?.key === key ? this.#arriving.received : 0;
    if (!this.#arriving || chunk !== expected) {
      throw new ClusterError(
        'BAD_CHUNK',
        `parameters of step ${step}: expected chunk ${expected} next, got chunk ${chunk}; the worker joins again`,
      );
    }
    const { values, beginMs } = this.#arriving;
    storeChunk(values, message, `parameters of step ${step}`);
    if (++this.#arriving.received < chunks) return;
    this.#arriving = undefined;
    const vector = { step, evaluation, values, beginMs, endMs: monotonicMs() };
    this.engine.post({ kind: 'vector', vector, used: this.#sent.splice(0) });
  }

  /** Evaluations are rare, so their vectors aren't kept. */
  #bufferFor(evaluation: boolean): Float32Array {
    const { parameterCount, stateCount } = this.manifest;
    return evaluation ? new Float32Array(parameterCount + stateCount) : this.#buffers.take();
  }

  #send({ gradient, reports, stamps, ...header }: NodeResult, used: readonly Float32Array[]): void {
    this.#buffers.put(used);
    const sendBeginMs = monotonicMs();
    const chunks = chunkCount(gradient.length);
    for (let chunk = 0; chunk < chunks; chunk++) {
      const isLast = chunk === chunks - 1;
      const partial = {
        ...{ ...header, ...chunkFields(gradient, chunk), reports: chunk === 0 ? reports : [] },
        ...(isLast && stamps && { stamps: { ...stamps, sendBeginMs, sendEndMs: monotonicMs() } }),
      };
      // The stream may read the bytes later, so the buffer is free once the last chunk is written.
      this.stream.write({ partial }, isLast ? () => this.#sent.push(gradient) : undefined);
    }
  }
}
