import { Worker } from 'node:worker_threads';
import type { EngineInfo } from '../engine/engine.js';
import type { JobManifest } from '../job/manifest.js';
import type { TreeNode } from '../job/tree.js';
import type { ShardResult } from './shard-computer.js';

/**
 * Vectors and gradients lie in shared buffers; `copied` and `sent` give them back to the thread that took
 * them. `forget` drops orders and vector: another session begins.
 */
export type ToEngine =
  | { kind: 'part'; set: 'shard' | 'evaluation'; index: number; bytes: SharedArrayBuffer }
  | { kind: 'vector'; step: number; evaluation: boolean; values: Float32Array }
  | { kind: 'sent'; gradient: Float32Array }
  | { kind: 'forget' }
  | { kind: 'compute'; step: number; nodes: TreeNode[] }
  | { kind: 'evaluate'; step: number; batches: number[] };

export type FromEngine =
  | { kind: 'ready'; info: EngineInfo; compileMs: number }
  | { kind: 'computing'; step: number }
  | { kind: 'copied'; values: Float32Array; evaluation: boolean }
  | { kind: 'partial'; step: number; node: TreeNode; gradient: Float32Array; reports: ShardResult[] }
  | { kind: 'rows'; step: number; batch: number; rows: Float32Array }
  | { kind: 'log'; message: string }
  | { kind: 'failed'; message: string };

/** The session's side of the engine thread. One per job; it lives on when the session is made anew. */
export class EngineThread {
  readonly #thread: Worker;
  #listener: ((message: FromEngine) => void) | undefined;
  #ready: FromEngine | undefined;
  #failed: FromEngine | undefined;

  constructor(readonly manifest: JobManifest) {
    this.#thread = new Worker(new URL('./engine-thread-main.js', import.meta.url), { workerData: manifest });
    this.#thread.on('message', (message: FromEngine) => this.#received(message));
    this.#thread.on('error', (error) => this.#received({ kind: 'failed', message: error.message }));
  }

  /** Whoever listens last gets the messages; `ready` or `failed` again if it came before. */
  listen(listener: (message: FromEngine) => void): void {
    this.#listener = listener;
    const said = this.#failed ?? this.#ready;
    if (said) listener(said);
  }

  post(message: ToEngine): void {
    this.#thread.postMessage(message);
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    await this.#thread.terminate();
  }

  #received(message: FromEngine): void {
    if (message.kind === 'ready') this.#ready = message;
    if (message.kind === 'failed') this.#failed = message;
    this.#listener?.(message);
  }
}
