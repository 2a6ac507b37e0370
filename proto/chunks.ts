import { crc32 } from '@node-rs/crc32';
import { ClusterError } from './errors.js';
import { copyShared } from '../util/shared-copy.js';

/** Size of a chunk. Vectors are sent in chunks, so that summing overlaps receiving and messages stay small. */
export const CHUNK_BYTES = 256 * 1024;

/** Values per chunk of f32. */
export const CHUNK_VALUES = CHUNK_BYTES / 4;

/** Number of chunks of a vector of `values` f32; an empty vector has one empty chunk. */
export function chunkCount(values: number): number {
  return Math.max(1, Math.ceil(values / CHUNK_VALUES));
}

/** Range `[begin, end)` of chunk `index` in a vector of `values` f32. */
export function chunkRange(values: number, index: number): { begin: number; end: number } {
  const begin = index * CHUNK_VALUES;
  return { begin, end: Math.min(begin + CHUNK_VALUES, values) };
}

/** View of the bytes of chunk `index` of `vector`. */
export function chunkBytes(vector: Float32Array, index: number): Uint8Array {
  const { begin, end } = chunkRange(vector.length, index);
  return new Uint8Array(vector.buffer, vector.byteOffset + begin * 4, (end - begin) * 4);
}

/** The bytes of `values`: a view, nothing is copied. */
export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Fields of a message that carries chunk `chunk` of `vector`; the bytes are a view. */
export function chunkFields(vector: Float32Array, chunk: number): ChunkFields & { crc: number } {
  const data = chunkBytes(vector, chunk);
  return { chunk, chunks: chunkCount(vector.length), data, crc: crc32(data) };
}

export interface ChunkFields {
  chunk: number;
  chunks: number;
  data: Uint8Array;
  /** CRC-32 of `data`; undefined if the bytes didn't cross a connection. */
  crc: number | undefined;
}

/**
 * Copies a received chunk to its place in `target`.
 * @throws ClusterError BAD_MESSAGE when the chunk's index, count or length doesn't fit the vector, BAD_CHUNK when its
 * bytes are damaged.
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

/** @throws ClusterError BAD_CHUNK when `data` is damaged, which TCP's checksum doesn't always detect. */
export function checkCrc({ data, crc }: Pick<ChunkFields, 'data' | 'crc'>, operation: string): void {
  if (crc === undefined) return;
  const found = crc32(data);
  if (found === crc) return;
  throw new ClusterError(
    'BAD_CHUNK',
    `${operation}: expected bytes with CRC-32 ${hex(crc)}, got ${hex(found)}; damaged in transit; the worker will rejoin`,
  );
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
