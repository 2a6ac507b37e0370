import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CHUNK_BYTES, chunkCount, type ChunkFields } from '../../proto/chunks.js';
import { ClusterError } from '../../proto/errors.js';

/** Linux's directory of files in memory. */
const memoryDirectory = '/dev/shm';
/** The file begins with the counters of both directions, each a double in its own cache line. */
const pageBytes = 4096;
const counterSpacing = 64;
/** Vectors that each direction has room for: one being read, and one being written. */
const slots = 2;
/**
 * Longest vector. Longer ones use gRPC, which sums chunks while others arrive and needs no file with room for four
 * vectors.
 */
const longestBytes = 16 * 1024 * 1024;

type Side = 'coordinator' | 'worker';

/** Place of a vector: its number among those that one side put into the file, and its length. */
export interface SharedVector {
  readonly index: number;
  readonly bytes: number;
}

/**
 * A file in memory through which the coordinator and one worker on the same machine exchange whole vectors.
 *
 * Vector n of a direction occupies slot n modulo the number of slots until the reader releases it in the header. The
 * reader must release every vector announced to it: by `take` or `chunks`, even if they fail, or by `skip`. Otherwise
 * the writer runs out of room.
 */
export class SharedFile {
  #next = 0;
  #taken = 0;
  #slotBytes = 0;
  #isClosed = false;
  readonly #counter = new Float64Array(1);
  readonly #counterBytes = new Uint8Array(this.#counter.buffer);
  #scratch: Uint8Array | undefined;

  constructor(
    readonly fd: number,
    private readonly side: Side,
  ) {}

  /**
   * Creates the file for the coordinator; undefined if the machine has no such memory. The file has no name, so it ends
   * with the processes.
   */
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

  /**
   * Prepares for vectors of up to `values` values, the same on both sides. The coordinator allocates all the memory at
   * once, so that it can't run out later.
   * @returns false if vectors are too long or memory is short; the file can't be used then.
   */
  open(values: number): boolean {
    const bytes = Math.max(1, Math.ceil((values * 4) / pageBytes)) * pageBytes;
    if (bytes > longestBytes) return false;
    if (this.side === 'coordinator' && this.#slotBytes !== bytes && !this.#reserve(bytes)) return false;
    this.#slotBytes = bytes;
    return true;
  }

  /** Puts a vector into the file. @returns its place, or undefined while there is no room. */
  put(vector: Float32Array): SharedVector | undefined {
    const data = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    if (data.byteLength > this.#slotBytes || !this.#hasRoom()) return undefined;
    if (!this.#write(data, this.#place(this.side, this.#next))) return undefined;
    return { index: this.#next++, bytes: data.byteLength };
  }

  /**
   * Takes a vector out of the file.
   * @throws ClusterError BAD_CHUNK if it is incomplete, BAD_MESSAGE if its place is invalid or its length isn't `into`'s.
   */
  take(shared: SharedVector, into: Float32Array, operation: string): void {
    try {
      if (shared.bytes !== into.byteLength) throw misfit(operation, `${into.byteLength} bytes`, shared);
      this.#take(shared, 0, new Uint8Array(into.buffer, into.byteOffset, into.byteLength), operation);
    } finally {
      this.skip(shared);
    }
  }

  /**
   * Takes a vector out of the file chunk by chunk. The bytes of a chunk are valid until the next one is requested. A
   * caller that stops early skips the rest.
   * @throws ClusterError as `take` does.
   */
  *chunks(shared: SharedVector, operation: string): Generator<ChunkFields> {
    const chunks = chunkCount(shared.bytes / 4);
    const scratch = (this.#scratch ??= new Uint8Array(CHUNK_BYTES));
    try {
      for (let chunk = 0; chunk < chunks; chunk++) {
        const begin = chunk * CHUNK_BYTES;
        const data = scratch.subarray(0, Math.min(CHUNK_BYTES, shared.bytes - begin));
        this.#take(shared, begin, data, operation);
        yield { chunk, chunks, data, crc: undefined };
      }
    } finally {
      this.skip(shared);
    }
  }

  /** Releases the slot of a vector that isn't needed any more. */
  skip({ index }: SharedVector): void {
    if (!Number.isSafeInteger(index) || index < 0) return;
    this.#counter[0] = index + 1;
    this.#write(this.#counterBytes, counterOf(this.#otherSide));
  }

  /** Closes the file; later calls fail as if there were no room. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.fd);
  }

  get #otherSide(): Side {
    return this.side === 'worker' ? 'coordinator' : 'worker';
  }

  /** Writes every page, because an unwritten one is allocated only later, and may be unavailable then. */
  #reserve(slotBytes: number): boolean {
    const zeros = new Uint8Array(slotBytes);
    const places = Array.from({ length: 2 * slots }, (_, slot) => pageBytes + slot * slotBytes);
    return this.#write(zeros.subarray(0, pageBytes), 0) && places.every((place) => this.#write(zeros, place));
  }

  #take(shared: SharedVector, begin: number, into: Uint8Array, operation: string): void {
    const { index, bytes } = shared;
    if (!Number.isSafeInteger(index) || index < 0 || bytes % 4 !== 0 || bytes > this.#slotBytes) {
      throw misfit(operation, `a vector of at most ${this.#slotBytes} bytes`, shared);
    }
    if (this.#read(into, this.#place(this.#otherSide, index) + begin)) return;
    throw new ClusterError('BAD_CHUNK', `${operation}: expected ${bytes} bytes in the shared file, got fewer`);
  }

  #hasRoom(): boolean {
    if (this.#next - this.#taken < slots) return true;
    if (this.#read(this.#counterBytes, counterOf(this.side))) this.#taken = this.#counter[0]!;
    return this.#next - this.#taken < slots;
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

  /** @returns false if the memory is full or the file closed. */
  #write(data: Uint8Array, position: number): boolean {
    try {
      return !this.#isClosed && writeSync(this.fd, data, 0, data.byteLength, position) === data.byteLength;
    } catch {
      return false;
    }
  }
}

/** Offset at which the reader of a side's vectors stores the number of those it has released. */
function counterOf(side: Side): number {
  return side === 'coordinator' ? 0 : counterSpacing;
}

function misfit(operation: string, expected: string, { index, bytes }: SharedVector): ClusterError {
  const found = `got vector ${index} of ${bytes} bytes`;
  return new ClusterError('BAD_MESSAGE', `${operation}: expected ${expected} in the shared file, ${found}`);
}
