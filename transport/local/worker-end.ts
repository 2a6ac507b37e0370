import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ClusterError } from '../../proto/errors.js';
import { monotonicMs } from '../../util/clock.js';
import type { CoordinatorTransport, NodeResult, StepInbox } from '../worker-transport.js';
import { LocalChannel, type LocalCompute, type LocalFds, type LocalResult } from './channel.js';
import { SharedFile, type SharedVector } from './shared-file.js';

export type WorkerChannel = LocalChannel<LocalResult, LocalCompute>;

/** Longest time that the coordinator may take to make room for a gradient. */
const roomLimitMs = 60_000;

/** The channel that this process inherited. */
export function inheritedChannel({ file, socket }: LocalFds): WorkerChannel {
  return new LocalChannel(new SharedFile(file, 'worker'), new Socket({ fd: socket }));
}

/** Worker's end of the local transport, read by the engine thread itself. */
export class LocalWorkerEnd implements CoordinatorTransport {
  /** Vectors received so far. */
  #vectors = 0;
  /** Used in turn: results computed from the vector before the last are no longer needed. */
  readonly #buffers: [Float32Array, Float32Array];

  constructor(
    private readonly channel: WorkerChannel,
    parameterCount: number,
    private readonly inbox: StepInbox,
  ) {
    this.#buffers = [new Float32Array(parameterCount), new Float32Array(parameterCount)];
    // If this fails, it failed for the coordinator too, which then uses gRPC.
    channel.file.open(parameterCount);
    channel.listen((message) => this.#received(message));
  }

  /**
   * Delivers once the coordinator has room. Drops the result if the channel closed or another step's parameters
   * arrived.
   * @throws ClusterError UNREACHABLE if the coordinator makes no room for it.
   */
  async deliver({ gradient, stamps, ...result }: NodeResult): Promise<void> {
    const sendBeginMs = monotonicMs();
    const shared = this.channel.file.put(gradient) ?? (await this.#putWhenFree(gradient));
    if (!shared) return;
    const complete = stamps && { ...stamps, sendBeginMs, sendEndMs: monotonicMs() };
    this.channel.send({ ...result, gradient: shared, ...(complete && { stamps: complete }) });
  }

  #received({ compute, parameters }: LocalCompute): void {
    const beginMs = monotonicMs();
    const { step } = compute;
    if (parameters) {
      const values = this.#buffers[0];
      this.channel.file.take(parameters, values, `parameters of step ${step}`);
      this.#buffers.reverse();
      this.#vectors++;
      this.inbox.keep({ step, evaluation: false, values, beginMs, endMs: monotonicMs() });
    }
    this.inbox.compute(compute, beginMs);
  }

  async #putWhenFree(gradient: Float32Array): Promise<SharedVector | undefined> {
    const deadline = performance.now() + roomLimitMs;
    const vectors = this.#vectors;
    while (this.channel.isOpen && this.#vectors === vectors) {
      await pause(1);
      const shared = this.channel.file.put(gradient);
      if (shared) return shared;
      if (performance.now() < deadline) continue;
      const expected = `expected room for a gradient within ${roomLimitMs / 1000} s`;
      throw new ClusterError('UNREACHABLE', `local transport: ${expected}, got none`);
    }
    return undefined;
  }
}
