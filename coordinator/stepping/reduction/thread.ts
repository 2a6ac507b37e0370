import { Worker } from 'node:worker_threads';
import { CHUNK_BYTES } from '../../../proto/chunks.js';
import type { TrainingState } from '../../../job/digest.js';
import { InvariantError } from '../../../util/errors.js';
import type { TreeNode } from '../../../job/tree.js';
import type { Arithmetic, ArithmeticEvents } from './arithmetic.js';
import type { ShardReport } from '../../../proto/messages.js';
import type { AccumulatorSetup, StepOutcome, StepUpdate } from './accumulator.js';

export type ToArithmetic =
  | { kind: 'begin'; update: StepUpdate }
  | { kind: 'chunk'; step: number; node: TreeNode; chunk: number; values: number; buffer: SharedArrayBuffer }
  | { kind: 'report'; step: number; report: ShardReport }
  | { kind: 'snapshot'; request: number; step: number }
  | { kind: 'copy'; request: number; into: Float32Array }
  | { kind: 'digest'; request: number; step: number };

export type FromArithmetic =
  | { kind: 'step'; outcome: StepOutcome }
  | { kind: 'snapshot'; request: number; snapshot: TrainingState }
  | { kind: 'copied'; request: number; durationMs: number }
  | { kind: 'digest'; request: number; digest: string };

/**
 * Arithmetic in a thread of its own, for large models: summing, updating and hashing take tens of milliseconds, and
 * heartbeats must not wait for them.
 */
export class ArithmeticThread implements Arithmetic {
  readonly #thread: Worker;
  /**
   * Chunk buffers, shared because transferring one costs more than copying into it. Those of a step are free once it
   * ends.
   */
  readonly #free: SharedArrayBuffer[] = [];
  #used: SharedArrayBuffer[] = [];
  readonly #requests = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #nextRequest = 0;
  #failure: Error | undefined;
  #isClosing = false;

  constructor(setup: AccumulatorSetup, { onStep, onError }: ArithmeticEvents) {
    this.#thread = new Worker(new URL('./thread-main.js', import.meta.url), { workerData: setup });
    this.#thread.on('message', (message: FromArithmetic) => {
      if (message.kind === 'step') {
        this.#free.push(...this.#used);
        this.#used = [];
        return onStep(message.outcome);
      }
      const request = this.#requests.get(message.request);
      this.#requests.delete(message.request);
      request?.resolve(answerOf(message) as never);
    });
    const failed = (error: Error) => {
      // 'exit' follows 'error'.
      if (this.#failure) return;
      this.#failure = error;
      for (const { reject } of this.#requests.values()) reject(error);
      onError(error);
    };
    this.#thread.on('error', failed);
    this.#thread.on('exit', () => this.#isClosing || failed(new InvariantError('the arithmetic thread ended')));
  }

  begin(update: StepUpdate): void {
    this.#post({ kind: 'begin', update });
  }

  addChunk(step: number, node: TreeNode, chunk: number, data: Uint8Array): void {
    const buffer = this.#free.pop() ?? new SharedArrayBuffer(CHUNK_BYTES);
    this.#used.push(buffer);
    new Uint8Array(buffer).set(data);
    this.#post({ kind: 'chunk', step, node, chunk, values: data.byteLength / 4, buffer });
  }

  addReport(step: number, report: ShardReport): void {
    // A view would be posted with the whole message that it is part of.
    this.#post({ kind: 'report', step, report: { ...report, statistics: new Uint8Array(report.statistics) } });
  }

  snapshot(step: number): Promise<TrainingState> {
    return this.#request((request) => ({ kind: 'snapshot', request, step }));
  }

  copyState(into: Float32Array): Promise<number> {
    return this.#request((request) => ({ kind: 'copy', request, into }));
  }

  digest(step: number): Promise<string> {
    return this.#request((request) => ({ kind: 'digest', request, step }));
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#thread.terminate();
  }

  #request<T>(message: (request: number) => ToArithmetic): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure);
    const request = this.#nextRequest++;
    return new Promise<T>((resolve, reject) => {
      this.#requests.set(request, { resolve, reject });
      this.#post(message(request));
    });
  }

  #post(message: ToArithmetic): void {
    this.#thread.postMessage(message);
  }
}

function answerOf(message: Exclude<FromArithmetic, { kind: 'step' }>): TrainingState | string | number {
  switch (message.kind) {
    case 'snapshot':
      return message.snapshot;
    case 'digest':
      return message.digest;
    case 'copied':
      return message.durationMs;
    default:
      return message satisfies never;
  }
}
