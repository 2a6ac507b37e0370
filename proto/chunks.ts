import { crc32 } from '@node-rs/crc32';
import { ClusterError } from './errors.js';
import { copyShared } from '../util/shared-copy.js';

/** Tensors travel in pieces of this size, so summing overlaps receiving and no message grows with the model. */
export const CHUNK_BYTES = 256 * 1024;

/** Values per chunk of f32. */
export const CHUNK_VALUES = CHUNK_BYTES / 4;

/** How many chunks a vector of `values` f32 makes; an empty vector makes one empty chunk. */
export function chunkCount(values: number): number {
  return Math.max(1, Math.ceil(values / CHUNK_VALUES));
}

/** The part `[begin, end)` of a vector of `values` f32 that chunk `index` covers. */
export function chunkRange(values: number, index: number): { begin: number; end: number } {
  const begin = index * CHUNK_VALUES;
  return { begin, end: Math.min(begin + CHUNK_VALUES, values) };
}

/** The bytes of chunk `index` of `vector`: a view, nothing is copied. */
export function chunkBytes(vector: Float32Array, index: number): Uint8Array {
  const { begin, end } = chunkRange(vector.length, index);
  return new Uint8Array(vector.buffer, vector.byteOffset + begin * 4, (end - begin) * 4);
}

/** The bytes of `values`: a view, nothing is copied. */
export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The part of a message that carries chunk `chunk` of `vector`; its bytes are a view. */
export function chunkFields(vector: Float32Array, chunk: number): ChunkFields & { crc: number } {
  const data = chunkBytes(vector, chunk);
  return { chunk, chunks: chunkCount(vector.length), data, crc: crc32(data) };
}

export interface ChunkFields {
  chunk: number;
  chunks: number;
  data: Uint8Array;
  /** CRC-32 of `data`; undefined where the bytes did not come over a connection. */
  crc: number | undefined;
}

/**
 * Copies a received chunk to its place in `target`.
 * @throws ClusterError BAD_MESSAGE when the chunk's index, count or length does not fit the vector, BAD_CHUNK when its
 * bytes are not those that were sent.
 */
export function storeChunk(target: Float32Array, message: ChunkFields, operation: string): void {
  checkChunk(target.length, message, operation);
  const { begin } = chunkRange(target.length, message.chunk);
  copyShared(message.data, new Uint8Array(target.buffer, target.byteOffset, target.byteLength), begin * 4);
}

/** Checks a chunk of a vector of `values` f32 without storing it. @throws ClusterError as `storeChunk` does. */
export function checkChunk(values: number, message: ChunkFields, operation: string): void {
  const chunks = chunkCount(values);
  const { begin, end } = chunkRange(values, message.chunk);
  const wanted = (end - begin) * 4;
  if (message.chunks !== chunks || message.chunk >= chunks || message.data.byteLength !== wanted) {
    throw new ClusterError(
      'BAD_MESSAGE',
      `${operation}: expected chunk 0..${chunks - 1} of ${chunks} with ${Math.max(0, wanted)} bytes, ` +
        `got chunk ${message.chunk} of ${message.chunks} with ${message.data.byteLength} bytes; both sides must run the same job`,
    );
  }
  checkCrc(message, `${operation}, chunk ${message.chunk}`);
}

/** @throws ClusterError BAD_CHUNK when `data` is not what was sent: TCP's own checksum lets some damage pass. */
export function checkCrc({ data, crc }: Pick<ChunkFields, 'data' | 'crc'>, operation: string): void {
  if (crc === undefined) return;
  const found = crc32(data);
  if (found === crc) return;
  throw new ClusterError(
    'BAD_CHUNK',
    `${operation}: expected bytes with CRC-32 ${hex(crc)}, got ${hex(found)}; damaged on the way; the worker must join again`,
  );
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
