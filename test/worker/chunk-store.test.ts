import type { ServerWritableStream } from '@grpc/grpc-js';
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { requireToken } from '../../transport/auth.js';
import { ClusterError, toStatus } from '../../proto/errors.js';
import type { DataChunk, FetchRequest } from '../../proto/messages.js';
import { ChunkStore, type WantedChunk } from '../../worker/chunk-store.js';
import { serve, within } from '../proto/wire.js';

type Call = ServerWritableStream<FetchRequest, DataChunk>;

const sampleBytes = 5;
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function chunk(index: number, bytes: Uint8Array, set: WantedChunk['set'] = 'shard'): WantedChunk {
  return { set, index, chunk: { digest: digestOf(bytes), count: bytes.byteLength / sampleBytes } };
}

/** Sends `bytes` in pieces and ends. */
function sendAll(call: Call, bytes: Uint8Array, pieces = 3): void {
  const length = Math.ceil(bytes.byteLength / pieces);
  for (let begin = 0; begin < bytes.byteLength; begin += length) {
    call.write({ totalBytes: bytes.byteLength, data: bytes.subarray(begin, begin + length) });
  }
  call.end();
}

/** A store whose server answers with `handle`. */
async function storeOf(
  handle: (call: Call) => void,
  { token, held = new Map() }: { token?: string; held?: Map<string, SharedArrayBuffer> } = {},
) {
  const address = await serve({ Fetch: handle }, token === undefined ? [] : [requireToken(token)]);
  const got: { name: string; bytes: Uint8Array }[] = [];
  let wake: (() => void) | undefined;
  let failed!: (error: ClusterError) => void;
  const error = new Promise<ClusterError>((resolve) => (failed = resolve));
  const store = new ChunkStore({
    address,
    token,
    sampleBytes,
    held,
    onChunk: ({ set, index }, bytes) => {
      got.push({ name: `${set} ${index}`, bytes: new Uint8Array(bytes) });
      wake?.();
    },
    onError: failed,
  });
  onTestFinished(() => store.close());
  const count = async (wanted: number) => {
    while (got.length < wanted) {
      await within(new Promise<void>((resolve) => (wake = resolve)), `${wanted} chunks, got ${got.length}`);
    }
    return got.map(({ name }) => name);
  };
  return { store, got, count, error: within(error, 'an error').catch((late: unknown) => late as ClusterError) };
}

describe('a chunk', () => {
  it('is fetched in pieces, checked, and handed over in memory that threads share', async () => {
    const bytes = randomBytes(20 * sampleBytes);
    const { store, got, count } = await storeOf((call) => sendAll(call, bytes));
    store.want([chunk(3, bytes)]);
    expect(await count(1)).toEqual(['shard 3']);
    expect(Buffer.from(got[0]!.bytes).equals(bytes)).toBe(true);
    expect(got[0]!.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('comes in the order wanted, one at a time, and only once for the same content', async () => {
    const contents = [randomBytes(10), randomBytes(15)];
    const asked: string[] = [];
    let open = 0;
    const { store, count } = await storeOf((call) => {
      expect(++open).toBe(1);
      asked.push(call.request.digest);
      call.once('finish', () => open--);
      sendAll(
        call,
        contents.find((bytes) => digestOf(bytes) === call.request.digest)!,
      );
    });
    const wanted = [chunk(1, contents[1]!), chunk(0, contents[0]!), chunk(7, contents[1]!, 'evaluation')];
    store.want(wanted);
    expect(await count(3)).toEqual(['shard 1', 'shard 0', 'evaluation 7']);
    store.want([chunk(1, contents[1]!)]);
    expect(await count(4)).toEqual(['shard 1', 'shard 0', 'evaluation 7', 'shard 1']);
    expect(asked).toEqual([digestOf(contents[1]!), digestOf(contents[0]!)]);
  });

  it('that is no longer wanted is not fetched, and one wanted meanwhile is', async () => {
    const contents = [0, 1, 2].map(() => randomBytes(10));
    const asked: number[] = [];
    let answer: (() => void) | undefined;
    const { store, count } = await storeOf((call) => {
      const index = contents.findIndex((bytes) => digestOf(bytes) === call.request.digest);
      asked.push(index);
      if (index > 0) return sendAll(call, contents[index]!);
      store.want([chunk(2, contents[2]!)]);
      answer = () => sendAll(call, contents[0]!);
      answer();
    });
    store.want([chunk(0, contents[0]!), chunk(1, contents[1]!)]);
    expect(await count(2)).toEqual(['shard 0', 'shard 2']);
    expect(asked).toEqual([0, 2]);
  });

  it('is not fetched again by the store of the next session', async () => {
    const bytes = randomBytes(10);
    const held = new Map<string, SharedArrayBuffer>();
    const first = await storeOf((call) => sendAll(call, bytes), { held });
    first.store.want([chunk(0, bytes)]);
    await first.count(1);
    first.store.close();
    const second = await storeOf(() => expect.unreachable('nothing is to be fetched'), { held });
    second.store.want([chunk(4, bytes)]);
    expect(await second.count(1)).toEqual(['shard 4']);
    expect(Buffer.from(second.got[0]!.bytes).equals(bytes)).toBe(true);
  });

  it('is fetched with the token', async () => {
    const bytes = randomBytes(10);
    const { store, count } = await storeOf((call) => sendAll(call, bytes), { token: 'correct-horse-battery' });
    store.want([chunk(0, bytes)]);
    expect(await count(1)).toEqual(['shard 0']);
  });
});

describe('a chunk that is not what the manifest names', () => {
  const bytes = randomBytes(20 * sampleBytes);
  const other = Buffer.from(bytes);
  other[7]! ^= 1;
  const expected = `fetch: expected 100 bytes with SHA-256 ${digestOf(bytes)}, got `;

  it.each<[string, Uint8Array, string]>([
    ['one bit differs', other, `100 bytes with SHA-256 ${digestOf(other)}`],
    ['the last byte is missing', bytes.subarray(0, 99), `99 bytes with SHA-256 ${digestOf(bytes.subarray(0, 99))}`],
    ['it is empty', bytes.subarray(0, 0), `0 bytes with SHA-256 ${digestOf(bytes.subarray(0, 0))}`],
    ['there is a byte more', Buffer.concat([bytes, Buffer.of(1)]), 'more than 100 bytes'],
  ])('because %s is refused, and may be fetched again', async (_, sent, found) => {
    const { store, got, error } = await storeOf((call) => sendAll(call, sent));
    store.want([chunk(0, bytes)]);
    expect(await error).toMatchObject({
      code: 'BAD_CHUNK',
      retryable: true,
      message: `${expected}${found}; the chunk will be fetched again`,
    });
    expect(got).toEqual([]);
  });

  it('is not read to its end when it is endless', async () => {
    let cancelled!: () => void;
    const seen = new Promise<void>((resolve) => (cancelled = resolve));
    const { store, error } = await storeOf((call) => {
      call.once('cancelled', cancelled);
      const more = () => {
        while (!call.cancelled && call.write({ totalBytes: 100, data: bytes }));
      };
      call.on('drain', more);
      more();
    });
    store.want([chunk(0, bytes)]);
    expect(await error).toMatchObject({ code: 'BAD_CHUNK' });
    await within(seen, 'the server to see that it is not wanted');
  });
});

describe('a server that does not give a chunk', () => {
  const wanted = [chunk(0, randomBytes(10))];

  it('because it does not know it: its own message arrives', async () => {
    const { store, error } = await storeOf((call) =>
      call.emit('error', toStatus(new ClusterError('UNKNOWN_CHUNK', 'fetch: expected a chunk of this job'))),
    );
    store.want(wanted);
    expect(await error).toMatchObject({ code: 'UNKNOWN_CHUNK', message: 'fetch: expected a chunk of this job' });
  });

  it('because its connection breaks in the middle is UNREACHABLE, and retryable', async () => {
    const { store, error } = await storeOf((call) => {
      call.write({ totalBytes: 10, data: Buffer.of(1) });
      call.emit('error', { code: 14, details: 'gone' });
    });
    store.want(wanted);
    expect(await error).toMatchObject({ code: 'UNREACHABLE', retryable: true, message: 'fetch: gone' });
  });
});

describe('closing a store', () => {
  it('interrupts the transfer in progress, without an error', async () => {
    let called!: () => void;
    let cancelled!: () => void;
    const started = new Promise<void>((resolve) => (called = resolve));
    const seen = new Promise<void>((resolve) => (cancelled = resolve));
    const { store, error } = await storeOf((call) => {
      call.once('cancelled', cancelled);
      call.write({ totalBytes: 10, data: Buffer.of(1) });
      called();
    });
    store.want([chunk(0, randomBytes(10))]);
    await within(started, 'the transfer to begin');
    store.close();
    await within(seen, 'the server to see it');
    expect(await Promise.race([error, new Promise((resolve) => setImmediate(() => resolve('no error')))])).toBe(
      'no error',
    );
  });
});
