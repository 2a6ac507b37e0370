import type { ServiceError } from '@grpc/grpc-js';
import { randomFillSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type FetchCall, type ChunkBytes, serveChunks } from '../../../coordinator/membership/data-service.js';
import { callMetadata } from '../../../transport/auth.js';
import { CHUNK_BYTES } from '../../../proto/chunks.js';
import { fromServiceError } from '../../../proto/errors.js';
import type { DataChunk } from '../../../proto/messages.js';
import { dataClient, serve, within } from '../../proto/wire.js';

async function fetchAll(address: string, digest: string): Promise<{ bytes: Buffer; chunks: DataChunk[] }> {
  const call = dataClient(address).Fetch({ digest }, callMetadata());
  const chunks: DataChunk[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    call.on('data', (chunk: DataChunk) => chunks.push(chunk));
    call.on('end', resolve);
    call.on('error', (error) => reject(fromServiceError(error as ServiceError, 'fetch')));
  });
  await within(ended, 'the chunk');
  return { bytes: Buffer.concat(chunks.map(({ data }) => data)), chunks };
}

describe('a chunk', () => {
  it.each([
    ['labels and images', [100, 3 * CHUNK_BYTES + 5]],
    ['a single byte', [1]],
    ['exactly one chunk', [CHUNK_BYTES]],
    ['views, one of them empty', [7, 0, CHUNK_BYTES + 1]],
  ])('of %s arrives byte by byte as it is, in chunks', async (_, lengths) => {
    const whole = randomFillSync(new Uint8Array(lengths.reduce((a, b) => a + b) + 3));
    let begin = 3;
    const views = lengths.map((length) => whole.subarray(begin, (begin += length)));
    const address = await serve({ Fetch: serveChunks(new Map([['d', views]])) });
    const { bytes, chunks } = await fetchAll(address, 'd');
    expect(bytes.equals(whole.subarray(3))).toBe(true);
    expect(Math.max(...chunks.map(({ data }) => data.byteLength))).toBeLessThanOrEqual(CHUNK_BYTES);
    expect(new Set(chunks.map(({ totalBytes }) => totalBytes))).toEqual(new Set([bytes.byteLength]));
  });

  it('is served to several workers at once', async () => {
    const chunks = new Map(['a', 'b'].map((digest) => [digest, [randomFillSync(new Uint8Array(2 * CHUNK_BYTES))]]));
    const address = await serve({ Fetch: serveChunks(chunks) });
    const fetched = await Promise.all(['a', 'b', 'a', 'b', 'a'].map((digest) => fetchAll(address, digest)));
    fetched.forEach(({ bytes }, i) => expect(bytes.equals(chunks.get(i % 2 ? 'b' : 'a')![0]!)).toBe(true));
  });

  it.each(['', 'ff'.repeat(32), 'x'.repeat(5_000)])('that is unknown is refused: "%.8s…"', async (digest) => {
    const address = await serve({ Fetch: serveChunks(new Map([['d', [Uint8Array.of(1)]]])) });
    await expect(fetchAll(address, digest)).rejects.toMatchObject({
      code: 'UNKNOWN_CHUNK',
      retryable: false,
      message: `fetch: expected a chunk of this job, got ${digest.slice(0, 64)}; join again`,
    });
  });
});

describe('a slow reader', () => {
  /** A chunk of 1 GiB backed by one MiB of memory; counts how far it has been read. */
  function hugeChunk(): { chunk: ChunkBytes; piecesRead: () => number } {
    const views = new Array<Uint8Array>(1024).fill(new Uint8Array(1024 * 1024));
    let read = 0;
    views[Symbol.iterator] = function* (this: Uint8Array[]) {
      for (let i = 0; i < 1024; i++) {
        read++;
        yield this[i]!;
      }
    } as (typeof views)[typeof Symbol.iterator];
    return { chunk: views, piecesRead: () => read };
  }

  /** Resolves when the number of pieces read hasn't changed for a while. */
  async function settled(piecesRead: () => number): Promise<number> {
    for (let last = -1; last !== piecesRead();) {
      last = piecesRead();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return piecesRead();
  }

  it('is sent no more than the window and the buffers hold, and the rest as it reads', async () => {
    const { chunk, piecesRead } = hugeChunk();
    const address = await serve({ Fetch: serveChunks(new Map([['d', chunk]])) });
    const call = dataClient(address).Fetch({ digest: 'd' }, callMetadata());
    await within(new Promise((resolve) => call.once('readable', resolve)), 'the first bytes');
    const before = await settled(piecesRead);
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(64);
    for (let i = 0; i < 16; i++) {
      while (call.read() === null) await within(new Promise((resolve) => call.once('readable', resolve)), 'more');
    }
    call.on('error', () => undefined);
    call.cancel();
  });

  it('that disconnects ends the reading', async () => {
    const { chunk, piecesRead } = hugeChunk();
    let ended: Promise<void> | undefined;
    const handle = serveChunks(new Map([['d', chunk]]));
    const address = await serve({
      Fetch: (call: FetchCall) => {
        ended = new Promise((resolve) => call.once('cancelled', resolve));
        handle(call);
      },
    });
    const call = dataClient(address).Fetch({ digest: 'd' }, callMetadata());
    call.on('error', () => undefined);
    await within(new Promise((resolve) => call.once('data', resolve)), 'the first bytes');
    call.cancel();
    await within(ended!, 'the server to see it');
    const atEnd = piecesRead();
    expect(await settled(piecesRead)).toBeLessThanOrEqual(atEnd + 1);
    expect(atEnd).toBeLessThan(1024);
  });
});
