import { Worker } from 'node:worker_threads';
import { InvariantError, JobError } from '../../job/errors.js';
import { type CheckpointHead, type StateLayout, vectorLength } from './checkpoint-file.js';

export interface CheckpointThreadSetup {
  readonly layout: StateLayout;
  /** `[vectorLength]`, shared. */
  readonly vector: Float32Array;
}

export interface CheckpointOrder {
  readonly path: string;
  readonly head: CheckpointHead;
}

export interface CheckpointWritten {
  /** Why it could not be written. */
  readonly problem?: string;
}

/**
 * Writes checkpoints in a thread of its own, from a vector that the owner fills: hashing and writing take a second for
 * large models. One at a time; the vector must not change while one is written.
 */
export class CheckpointThread {
  readonly vector: Float32Array;
  readonly #thread: Worker;
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  constructor(layout: StateLayout) {
    const values = vectorLength(layout);
    this.vector = new Float32Array(new SharedArrayBuffer(values * 4), 0, values);
    const workerData: CheckpointThreadSetup = { layout, vector: this.vector };
    this.#thread = new Worker(new URL('./checkpoint-thread-main.js', import.meta.url), { workerData });
    // The thread alone is no reason for the process to stay.
    this.#thread.unref();
    this.#thread.on('message', ({ problem }: CheckpointWritten) => {
      if (problem === undefined) this.#settle?.resolve();
      else this.#settle?.reject(new JobError('BAD_RUN_DIRECTORY', problem));
    });
    this.#thread.on('error', (error) => this.#failed(error));
    this.#thread.on('exit', () => this.#failed(new InvariantError('the checkpoint thread ended')));
  }

  /** Writes the vector durably; whatever was at `path` stays whole until then. @throws JobError BAD_RUN_DIRECTORY */
  write(order: CheckpointOrder): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#thread.postMessage(order);
    });
  }

  /** Rejects the pending write, which would otherwise never settle. */
  #failed(error: Error): void {
    this.#failure ??= error;
    this.#settle?.reject(this.#failure);
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}
