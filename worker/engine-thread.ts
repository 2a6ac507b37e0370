import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { EngineInfo, InstructionSet } from '../engine/engine.js';
import type { JobManifest } from '../job/manifest.js';
import type { Compute } from '../proto/messages.js';
import type { LocalFds } from '../transport/local/channel.js';
import type { NodeResult, ReceivedVector } from '../transport/worker-transport.js';
import { completesWithin } from '../util/deadline.js';
import { EngineProgress } from './engine-progress.js';

/**
 * Messages to the engine thread. There are few, because each one wakes the other thread, which is slow if all cores are
 * busy. Vectors and gradients are transferred in buffers of a BufferPool; `used` returns those that have been read.
 * `forget` drops work and vector, because another session begins. `drain` asks for `drained` once all work is delivered.
 */
export type ToEngine =
  | { kind: 'job'; manifest: JobManifest; localFds: LocalFds | undefined }
  | { kind: 'end' }
  | { kind: 'chunk'; set: 'shard' | 'evaluation'; index: number; bytes: SharedArrayBuffer }
  | { kind: 'vector'; vector: ReceivedVector; used: Float32Array[] }
  | { kind: 'forget' }
  | { kind: 'drain' }
  | { kind: 'compute'; message: Compute; receivedMs: number }
  | { kind: 'evaluate'; step: number; batches: number[] };

export type FromEngine =
  | {
      kind: 'ready';
      info: EngineInfo;
      placement?: string | undefined;
      fingerprint: string;
      /** True if it can change its number of threads. */
      hasThreads: boolean;
      compileMs: number;
    }
  | { kind: 'result'; result: NodeResult; used: Float32Array[] }
  | { kind: 'rows'; step: number; batch: number; rows: Float32Array }
  | { kind: 'drained' }
  | { kind: 'log'; message: string }
  /** `isFinal`: any process on this machine would fail in the same way. */
  | { kind: 'failed'; message: string; isFinal: boolean };

/** Messages from the engine thread, except results. */
export type EngineEvent = Exclude<FromEngine, { kind: 'result' }>;

/** Settings that the thread starts with. */
export interface EngineThreadSettings {
  /** Directory of compiled programs; undefined: they aren't kept. */
  readonly cacheDirectory: string | undefined;
  /** Instruction set of the native engine; undefined: the fastest that works. */
  readonly isa: InstructionSet | undefined;
}

/** Longest time that a computation in progress may take when the thread must end. */
const endLimitMs = 2_000;

/** The network thread's side of the engine thread. One per job; it outlives sessions. */
export class EngineThread {
  readonly progress = new EngineProgress();
  readonly #thread: Worker;
  readonly #ended: Promise<number>;
  /** Receives results. */
  onResult: ((result: NodeResult, used: readonly Float32Array[]) => void) | undefined;
  #listener: ((message: EngineEvent) => void) | undefined;
  #ready: (FromEngine & { kind: 'ready' }) | undefined;
  #failed: EngineEvent | undefined;
  #jobDigest: string | undefined;

  /**
   * Starts the thread, which loads its modules before it receives a job. It shares the process's environment, from which
   * native libraries read their settings.
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

  /** Digest of the thread's job. */
  get jobDigest(): string | undefined {
    return this.#jobDigest;
  }

  /**
   * Gives the thread its job, once.
   * @param localFds - files of a local transport that it reads too.
   */
  begin(manifest: JobManifest, localFds: LocalFds | undefined): void {
    this.#jobDigest = manifest.digest;
    this.post({ kind: 'job', manifest, localFds });
  }

  /** Replaces an earlier listener. Repeats `ready` or `failed` if it was sent before. */
  listen(listener: (message: EngineEvent) => void): void {
    this.#listener = listener;
    const last = this.#failed ?? this.#ready;
    if (last) listener(last);
  }

  post(message: ToEngine): void {
    this.#thread.postMessage(message, transferred(message));
  }

  /** Asks the thread to end, as native code can't be terminated safely during a computation; then terminates it. */
  async close(): Promise<void> {
    this.#listener = this.onResult = undefined;
    this.post({ kind: 'end' });
    await completesWithin(this.#ended, endLimitMs);
    await this.#thread.terminate();
  }

  #received(message: FromEngine): void {
    if (message.kind === 'result') return this.onResult?.(message.result, message.used);
    if (message.kind === 'ready') this.#ready = message;
    if (message.kind === 'failed') this.#failed = message;
    this.#listener?.(message);
  }
}

/** Memory that is transferred with a message. */
export function transferred(message: ToEngine | FromEngine): ArrayBuffer[] {
  if (message.kind === 'vector') return [message.vector.values, ...message.used].map(memoryOf);
  if (message.kind === 'result') return [message.result.gradient, ...message.used].map(memoryOf);
  return [];
}

function memoryOf(buffer: Float32Array): ArrayBuffer {
  return buffer.buffer as ArrayBuffer;
}
