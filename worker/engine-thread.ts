import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { EngineInfo } from '../engine/engine.js';
import type { JobManifest } from '../job/manifest.js';
import type { TreeNode } from '../job/tree.js';
import type { LinkFds } from '../transport/local/channel.js';
import { EngineProgress } from './engine-progress.js';
import type { ShardResult } from './shard-computer.js';

/**
 * What the two threads say to each other. Every message wakes the other thread, which costs more than it seems where all
 * cores are busy, so there are few. Vectors and gradients are handed over in buffers of a BufferPool; those that have
 * been read go back as `used`. `forget` drops orders and vector: another session begins. `drain` asks for `drained` as
 * soon as nothing is ordered that is not delivered.
 */
export type ToEngine =
  | { kind: 'job'; manifest: JobManifest; wide: boolean; link: LinkFds | undefined }
  | { kind: 'end' }
  | { kind: 'part'; set: 'shard' | 'evaluation'; index: number; bytes: SharedArrayBuffer }
  | { kind: 'vector'; step: number; evaluation: boolean; values: Float32Array; used: Float32Array[] }
  | { kind: 'forget' }
  | { kind: 'drain' }
  | { kind: 'compute'; step: number; nodes: TreeNode[]; wide: number }
  | { kind: 'evaluate'; step: number; batches: number[] };

export type FromEngine =
  | {
      kind: 'ready';
      info: EngineInfo;
      placement?: string | undefined;
      fingerprint: string;
      canWiden: boolean;
      compileMs: number;
    }
  /** After the first step: programs with two threads give the same bits, which `ready` says too from then on. */
  | { kind: 'widened' }
  | {
      kind: 'partial';
      step: number;
      node: TreeNode;
      gradient: Float32Array;
      reports: ShardResult[];
      used: Float32Array[];
    }
  | { kind: 'rows'; step: number; batch: number; rows: Float32Array }
  | { kind: 'drained' }
  | { kind: 'log'; message: string }
  /** `isFinal`: any process on this machine would fail in the same way. */
  | { kind: 'failed'; message: string; isFinal: boolean };

/** What the thread is told when it starts. */
export interface EngineThreadSettings {
  /** Where compiled programs are kept; none are if undefined. */
  readonly cacheDirectory: string | undefined;
}

/** How long a computation in progress may take when the thread is to end. */
const endLimitMs = 2_000;

/** The session's side of the engine thread. One per job; it lives on when the session is made anew. */
export class EngineThread {
  readonly progress = new EngineProgress();
  readonly #thread: Worker;
  readonly #ended: Promise<number>;
  #listener: ((message: FromEngine) => void) | undefined;
  #ready: (FromEngine & { kind: 'ready' }) | undefined;
  #failed: FromEngine | undefined;

  #jobDigest: string | undefined;

  /**
   * Starts the thread, which loads what it will need before it knows its job. It shares the process's environment, from
   * which native libraries take their settings.
   */
  constructor(settings: EngineThreadSettings) {
    const entry = new URL('./engine-thread-main.js', import.meta.url);
    const workerData = { ...settings, progressMemory: this.progress.memory };
    this.#thread = new Worker(entry, { workerData, env: SHARE_ENV });
    this.#thread.on('message', (message: FromEngine) => this.#received(message));
    this.#ended = new Promise((resolve) => this.#thread.once('exit', resolve));
    void this.#ended.then(() => {
      if (!this.#failed) this.#received({ kind: 'failed', message: 'the engine thread ended', isFinal: false });
    });
    this.#thread.on('error', (error) => this.#received({ kind: 'failed', message: error.message, isFinal: false }));
  }

  /** Digest of the job that the thread works for. */
  get jobDigest(): string | undefined {
    return this.#jobDigest;
  }

  /**
   * Tells the thread its job, once.
   * @param wide - whether it may find other cores idle, and is to prepare for that.
   * @param link - by which it gets orders besides those of `post`, if any.
   */
  begin(manifest: JobManifest, wide: boolean, link: LinkFds | undefined): void {
    this.#jobDigest = manifest.digest;
    this.post({ kind: 'job', manifest, wide, link });
  }

  /** Whoever listens last gets the messages; `ready` or `failed` again if it came before. */
  listen(listener: (message: FromEngine) => void): void {
    this.#listener = listener;
    const said = this.#failed ?? this.#ready;
    if (said) listener(said);
  }

  post(message: ToEngine): void {
    this.#thread.postMessage(message, handedOver(message));
  }

  /** Ends the thread: ONNX Runtime does not take it well to be cut off in mid-computation, so it is asked first. */
  async close(): Promise<void> {
    this.#listener = undefined;
    this.post({ kind: 'end' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, endLimitMs)));
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
    await this.#thread.terminate();
  }

  #received(message: FromEngine): void {
    if (message.kind === 'ready') this.#ready = message;
    if (message.kind === 'widened' && this.#ready) this.#ready = { ...this.#ready, canWiden: true };
    if (message.kind === 'failed') this.#failed = message;
    this.#listener?.(message);
  }
}

/** The memory that goes to the other thread with a message. */
export function handedOver(message: ToEngine | FromEngine): ArrayBuffer[] {
  if (message.kind === 'vector') return [message.values, ...message.used].map(memoryOf);
  if (message.kind === 'partial') return [message.gradient, ...message.used].map(memoryOf);
  return [];
}

function memoryOf(buffer: Float32Array): ArrayBuffer {
  return buffer.buffer as ArrayBuffer;
}
