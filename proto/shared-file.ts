import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CHUNK_BYTES, chunkCount, type ChunkFields } from './chunks.js';
import { ClusterError } from './errors.js';
import type { SharedChunk } from './messages.js';

/** Where Linux keeps files in memory. */
const memoryDirectory = '/dev/shm';
/** The counters of both directions, each a double of its own cache line, come first. */
const headerBytes = 4096;
const counterSpacing = 64;
/** Chunks that each direction has room for: those of two vectors, but not much of anybody's memory. */
const slotLimits = { least: 8, most: 64 };

type Side = 'coordinator' | 'worker';

/** A message's part that carries a chunk, as it is sent and as it comes. */
export interface SentChunk extends ChunkFields {
  shared?: SharedChunk | null;
}

const nothing = new Uint8Array(0);

/**
 * A file in memory through which the coordinator and one worker of the same machine hand each other the bytes of chunks;
 * their messages, on the Join stream as always, then only say where. Writing and reading a vector takes a twentieth of
 * the processor time that gRPC and TCP take (docs/benchmarks.md).
 *
 * Each direction is a ring: chunk n lies in slot n modulo the number of slots until the reader has taken it, which it
 * notes in the header. A chunk that finds no room travels in its message. Chunks have checksums either way.
 */
export class SharedFile {
  /** A session's first chunk: what the sessions before it left in the ring is not read any more. */
  #first = 0;
  #next = 0;
  #taken = 0;
  #slots = 0;
  #isUsable = true;
  #isClosed = false;
  readonly #counter = new Float64Array(1);
  readonly #counterBytes = new Uint8Array(this.#counter.buffer);
  readonly #scratch = new Uint8Array(CHUNK_BYTES);

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

  /** A session begins, over vectors of so many values. Both sides say the same. */
  begin(values: number): void {
    this.#first = this.#next;
    this.#slots = Math.min(slotLimits.most, Math.max(slotLimits.least, 2 * chunkCount(values)));
  }

  /** The fields to send: their bytes are left in the file if it has room. */
  put(fields: ChunkFields): SentChunk {
    const { data } = fields;
    if (!this.#hasRoom() || !this.#write(data, this.#place(this.side, this.#next))) return fields;
    return { ...fields, data: nothing, shared: { index: this.#next++, bytes: data.byteLength } };
  }

  /**
   * The bytes of a chunk, good until the next call.
   * @throws ClusterError BAD_CHUNK when there are none, BAD_MESSAGE when there cannot be.
   */
  take({ index, bytes }: SharedChunk, operation: string): Uint8Array {
    if (!Number.isSafeInteger(index) || index < 0 || bytes > CHUNK_BYTES) {
      const expected = `expected a chunk of at most ${CHUNK_BYTES} bytes in the shared file`;
      throw new ClusterError('BAD_MESSAGE', `${operation}: ${expected}, got number ${index} of ${bytes} bytes`);
    }
    const data = this.#scratch.subarray(0, bytes);
    const other: Side = this.side === 'worker' ? 'coordinator' : 'worker';
    if (!this.#read(data, this.#place(other, index))) {
      throw new ClusterError('BAD_CHUNK', `${operation}: expected ${bytes} bytes in the shared file, got fewer`);
    }
    this.#counter[0] = index + 1;
    this.#write(this.#counterBytes, counterOf(other));
    return data;
  }

  /** Nothing is read or written any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.fd);
  }

  #hasRoom(): boolean {
    if (!this.#isUsable || this.#isClosed) return false;
    if (this.#next - Math.max(this.#first, this.#taken) < this.#slots) return true;
    // Nothing is there before the reader has taken its first.
    if (this.#read(this.#counterBytes, counterOf(this.side))) this.#taken = this.#counter[0]!;
    return this.#next - Math.max(this.#first, this.#taken) < this.#slots;
  }

  #place(side: Side, index: number): number {
    const ring = side === 'coordinator' ? 0 : this.#slots;
    return headerBytes + (ring + (index % this.#slots)) * CHUNK_BYTES;
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

/** Where the reader of a side's ring says how many of its chunks it has taken. */
function counterOf(side: Side): number {
  return side === 'coordinator' ? 0 : counterSpacing;
}

/** A received message with its chunk's bytes in it. @throws ClusterError as `SharedFile.take` does, BAD_MESSAGE where there is no file. */
export function withBytes<Message extends SentChunk>(
  file: SharedFile | undefined,
  message: Message,
  operation: string,
): Message {
  const { shared } = message;
  if (!shared) return message;
  if (!file)
    throw new ClusterError('BAD_MESSAGE', `${operation}: expected bytes, got a place in a file that is not shared`);
  return { ...message, data: file.take(shared, operation), shared: null };
}
