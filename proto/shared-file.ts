import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CHUNK_BYTES, chunkCount, type ChunkFields } from './chunks.js';
import { ClusterError } from './errors.js';
import type { SharedVector } from './messages.js';

/** Where Linux keeps files in memory. */
const memoryDirectory = '/dev/shm';
/** The counters of both directions, each a double of its own cache line, come first. */
const pageBytes = 4096;
const counterSpacing = 64;
/** Vectors that each direction has room for: one that is read, and one that is written meanwhile. */
const slots = 2;
/** Longer vectors travel in chunks, and are summed while they do, instead of taking this much memory four times. */
const longestBytes = 16 * 1024 * 1024;

type Side = 'coordinator' | 'worker';

/**
 * A file in memory through which the coordinator and one worker of the same machine hand each other whole vectors; one
 * message on the Join stream then says where, instead of several that carry chunks. It saves a sixth of what a step takes
 * besides its computation, and more where cores are busy (docs/benchmarks.md).
 *
 * Vector n of a direction lies in slot n modulo the number of slots until the reader has taken it, which it notes in the
 * header. A vector that finds no room travels in chunks.
 */
export class SharedFile {
  /** A session's first vector: what the sessions before it left is not read any more. */
  #first = 0;
  #next = 0;
  #taken = 0;
  #slotBytes = 0;
  #isUsable = true;
  #isClosed = false;
  readonly #counter = new Float64Array(1);
  readonly #counterBytes = new Uint8Array(this.#counter.buffer);
  #scratch: Uint8Array | undefined;

  constructor(
    readonly fd: number,
    private readonly side: Side,
  ) {}

  /** A new one, for the coordinator, without a name: it is gone when both processes are. Undefined where there is no such memory. */
  static create(): SharedFile | undefined {
    if (!existsSync(memoryDirectory)) return undefined;
    const path = join(memoryDirectory, `lockstep-${randomBytes(12).toString('hex')}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return new SharedFile(fd, 'coordinator');
    } catch {
      return undefined;
    }
  }

  /** A session begins, over vectors of up to so many values. Both sides say the same. */
  begin(values: number): void {
    this.#first = this.#next;
    this.#slotBytes = Math.ceil((values * 4) / pageBytes) * pageBytes;
  }

  /** Leaves a vector in the file. @returns where, for the message; undefined when it does not fit. */
  put(vector: Float32Array): SharedVector | undefined {
    const data = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    const fits = data.byteLength <= Math.min(this.#slotBytes, longestBytes);
    if (!fits || !this.#hasRoom() || !this.#write(data, this.#place(this.side, this.#next))) return undefined;
    return { index: this.#next++, bytes: data.byteLength };
  }

  /**
   * Takes a vector out of the file.
   * @throws ClusterError BAD_CHUNK when it is not there, BAD_MESSAGE when it cannot be, or is not as long as `into`.
   */
  take(shared: SharedVector, into: Float32Array, operation: string): void {
    if (shared.bytes !== into.byteLength) throw misfit(operation, `${into.byteLength} bytes`, shared);
    this.#take(shared, 0, new Uint8Array(into.buffer, into.byteOffset, into.byteLength), operation);
    this.#noteTaken(shared);
  }

  /**
   * Takes a vector out of the file chunk by chunk. The bytes of a chunk are good until the next one is asked for.
   * @throws ClusterError as `take` does.
   */
  *chunks(shared: SharedVector, operation: string): Generator<ChunkFields> {
    const chunks = chunkCount(shared.bytes / 4);
    const scratch = (this.#scratch ??= new Uint8Array(CHUNK_BYTES));
    for (let chunk = 0; chunk < chunks; chunk++) {
      const begin = chunk * CHUNK_BYTES;
      const data = scratch.subarray(0, Math.min(CHUNK_BYTES, shared.bytes - begin));
      this.#take(shared, begin, data, operation);
      if (chunk === chunks - 1) this.#noteTaken(shared);
      yield { chunk, chunks, data, crc: undefined };
    }
  }

  /** Nothing is read or written any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.fd);
  }

  get #otherSide(): Side {
    return this.side === 'worker' ? 'coordinator' : 'worker';
  }

  #take(shared: SharedVector, begin: number, into: Uint8Array, operation: string): void {
    const { index, bytes } = shared;
    if (!Number.isSafeInteger(index) || index < 0 || bytes % 4 !== 0 || bytes > this.#slotBytes) {
      throw misfit(operation, `a vector of at most ${this.#slotBytes} bytes`, shared);
    }
    if (this.#read(into, this.#place(this.#otherSide, index) + begin)) return;
    throw new ClusterError('BAD_CHUNK', `${operation}: expected ${bytes} bytes in the shared file, got fewer`);
  }

  #noteTaken({ index }: SharedVector): void {
    this.#counter[0] = index + 1;
    this.#write(this.#counterBytes, counterOf(this.#otherSide));
  }

  #hasRoom(): boolean {
    if (!this.#isUsable || this.#isClosed) return false;
    if (this.#next - Math.max(this.#first, this.#taken) < slots) return true;
    // Nothing is there before the reader has taken its first.
    if (this.#read(this.#counterBytes, counterOf(this.side))) this.#taken = this.#counter[0]!;
    return this.#next - Math.max(this.#first, this.#taken) < slots;
  }

  #place(side: Side, index: number): number {
    const slot = (side === 'coordinator' ? 0 : slots) + (index % slots);
    return pageBytes + slot * this.#slotBytes;
  }

  #read(into: Uint8Array, position: number): boolean {
    try {
      return !this.#isClosed && readSync(this.fd, into, 0, into.byteLength, position) === into.byteLength;
    } catch {
      return false;
    }
  }

  /** @returns false when it cannot, as the memory is full; it is not tried again then. */
  #write(data: Uint8Array, position: number): boolean {
    try {
      this.#isUsable &&= writeSync(this.fd, data, 0, data.byteLength, position) === data.byteLength;
    } catch {
      this.#isUsable = false;
    }
    return this.#isUsable;
  }
}

/** Where the reader of a side's vectors says how many of them it has taken. */
function counterOf(side: Side): number {
  return side === 'coordinator' ? 0 : counterSpacing;
}

function misfit(operation: string, expected: string, { index, bytes }: SharedVector): ClusterError {
  const found = `got vector ${index} of ${bytes} bytes`;
  return new ClusterError('BAD_MESSAGE', `${operation}: expected ${expected} in the shared file, ${found}`);
}

/** The fields of a message whose vector is in the shared file. */
export function sharedFields(shared: SharedVector): ChunkFields & { shared: SharedVector } {
  return { chunk: 0, chunks: chunkCount(shared.bytes / 4), data: new Uint8Array(0), crc: undefined, shared };
}

/** The file that a message names a place in. @throws ClusterError BAD_MESSAGE where there is none. */
export function requireFile(file: SharedFile | undefined, operation: string): SharedFile {
  if (file) return file;
  const found = 'got a place in a file that is not shared';
  throw new ClusterError('BAD_MESSAGE', `${operation}: expected bytes, ${found}`);
}
