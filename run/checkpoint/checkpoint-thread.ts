import { Worker } from 'node:worker_threads';
import { JobError } from '../../job/errors.js';
import { InvariantError } from '../../util/errors.js';
import { type CheckpointHead, type StateLayout, vectorLength } from './checkpoint-file.js';

export interface CheckpointThreadSetup {
  readonly layout: StateLayout;
  /** `[vectorLength]`, shared. */
  readonly vector: Float32Array;
}

export interface CheckpointRequest {
  readonly path: string;
  readonly head: CheckpointHead;
}

export interface CheckpointWritten {
  /** Reason why it could not be written. */
  readonly problem?: string;
}

/**
 * Writes checkpoints in a separate thread, from a vector that the owner fills, because hashing and writing a large model
 * takes a second. One at a time; the vector must not change meanwhile.
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
    // The thread alone doesn't keep the process running.
    this.#thread.unref();
    this.#thread.on('message', ({ problem }: CheckpointWritten) => {
      if (problem === undefined) this.#settle?.resolve();
      else this.#settle?.reject(new JobError('BAD_RUN_DIRECTORY', problem));
    });
    this.#thread.on('error', (error) => this.#failed(error));
    this.#thread.on('exit', () => this.#failed(new InvariantError('the checkpoint thread ended')));
  }

  /** Writes the vector durably and atomically. @throws JobError BAD_RUN_DIRECTORY; an older file at `path` is untouched. */
  write(request: CheckpointRequest): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#thread.postMessage(request);
    });
  }

  /** Rejects the pending write, which would never settle otherwise. */
  #failed(error: Error): void {
    this.#failure ??= error;
    this.#settle?.reject(this.#failure);
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}
