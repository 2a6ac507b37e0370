import { describe, expect, it } from 'vitest';
import {
  CHUNK_BYTES,
  CHUNK_VALUES,
  checkChunk,
  checkCrc,
  chunkBytes,
  chunkCount,
  chunkFields,
  chunkRange,
  storeChunk,
} from '../../proto/chunks.js';

function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => i + 0.5);
}

describe('cutting a vector', () => {
  it.each([
    [0, 1],
    [1, 1],
    [CHUNK_VALUES, 1],
    [CHUNK_VALUES + 1, 2],
    [3 * CHUNK_VALUES, 3],
    [137_430, 3],
  ])('of %i values makes %i chunk(s)', (values, chunks) => {
    expect(chunkCount(values)).toBe(chunks);
  });

  it('covers every value once, all chunks but the last being 256 KiB', () => {
    const values = 2 * CHUNK_VALUES + 7;
    expect([0, 1, 2].map((index) => chunkRange(values, index))).toEqual([
      { begin: 0, end: CHUNK_VALUES },
      { begin: CHUNK_VALUES, end: 2 * CHUNK_VALUES },
      { begin: 2 * CHUNK_VALUES, end: values },
    ]);
    expect(CHUNK_BYTES).toBe(262_144);
  });

  it('gives views of the vector, even if it begins in mid-buffer', () => {
    const vector = ramp(CHUNK_VALUES + 4).subarray(2);
    const last = chunkBytes(vector, 1);
    expect(last.buffer).toBe(vector.buffer);
    expect(last.byteLength).toBe(8);
    expect(new DataView(last.buffer, last.byteOffset).getFloat32(0, true)).toBe(CHUNK_VALUES + 2.5);
  });

  it('makes one empty chunk of an empty vector', () => {
    expect(chunkBytes(new Float32Array(0), 0).byteLength).toBe(0);
  });
});

describe('storing chunks', () => {
  it('reassembles a vector, in any order and from unaligned bytes', () => {
    const vector = ramp(2 * CHUNK_VALUES + 5);
    const target = new Float32Array(vector.length + 3).subarray(3);
    for (const chunk of [2, 0, 1]) {
      const fields = chunkFields(vector, chunk);
      const unaligned = new Uint8Array(fields.data.byteLength + 1).subarray(1);
      unaligned.set(fields.data);
      storeChunk(target, { ...fields, data: unaligned }, 'test');
    }
    expect(target.every((value, i) => value === vector[i])).toBe(true);
  });

  const bytes = (length: number) => new Uint8Array(length);
  it.each([
    ['an index beyond the last', { chunk: 2, chunks: 2, data: bytes(4) }],
    ['the largest index of the wire', { chunk: 0xffffffff, chunks: 2, data: bytes(0) }],
    ['another count', { chunk: 0, chunks: 3, data: bytes(CHUNK_BYTES) }],
    ['no count', { chunk: 0, chunks: 0, data: bytes(CHUNK_BYTES) }],
    ['a short full chunk', { chunk: 0, chunks: 2, data: bytes(CHUNK_BYTES - 4) }],
    ['a long last chunk', { chunk: 1, chunks: 2, data: bytes(8) }],
    ['an empty last chunk', { chunk: 1, chunks: 2, data: bytes(0) }],
  ])('refuses %s and leaves the vector as it was', (_, message) => {
    const target = new Float32Array(CHUNK_VALUES + 1).fill(7);
    expect(() => storeChunk(target, { ...message, crc: 0 }, 'parameters of step 3')).toThrow(
      expect.objectContaining({
        code: 'BAD_MESSAGE',
        message: expect.stringMatching(/^parameters of step 3: expected chunk 0\.\.1 of 2/) as string,
      }),
    );
    expect(target.every((value) => value === 7)).toBe(true);
  });

  it('reports what was expected and what was received', () => {
    expect(() => checkChunk(3, { chunk: 0, chunks: 1, data: bytes(8), crc: 0 }, 'partial of step 5 from w1')).toThrow(
      'partial of step 5 from w1: expected chunk 0..0 of 1 with 12 bytes, got chunk 0 of 1 with 8 bytes; ' +
        'both sides must run the same job',
    );
  });

  it('rejects bytes with a flipped bit, and the session may start over', () => {
    const fields = chunkFields(ramp(3), 0);
    const data = Uint8Array.from(fields.data);
    data[5]! ^= 16;
    expect(() => checkChunk(3, { ...fields, data }, 'partial of step 5 from w1')).toThrow(
      expect.objectContaining({
        code: 'BAD_CHUNK',
        retryable: true,
        message: expect.stringMatching(
          /^partial of step 5 from w1, chunk 0: expected bytes with CRC-32 [0-9a-f]{8}, got [0-9a-f]{8}; damaged/,
        ) as string,
      }),
    );
    expect(() => checkChunk(3, fields, 'test')).not.toThrow();
  });

  it('uses the CRC-32 of zlib, whose value for "123456789" is cbf43926', () => {
    expect(() => checkCrc({ data: Buffer.from('123456789'), crc: 0xcbf43926 }, 'test')).not.toThrow();
  });
});
