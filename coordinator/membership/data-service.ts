import type { ServerWritableStream } from '@grpc/grpc-js';
import { ClusterError, toStatus } from '../../proto/errors.js';
import type { DataChunk, FetchRequest } from '../../proto/messages.js';
import { printable } from './check-messages.js';
import type { Traffic } from './traffic.js';

/** Small, so that a worker on a slow connection sees its transfer progress. */
const messageBytes = 64 * 1024;

/** Bytes of a dataset chunk, in order; views into the dataset, nothing is copied. */
export type ChunkBytes = readonly Uint8Array[];

export type FetchCall = ServerWritableStream<FetchRequest, DataChunk>;

/** Serves Fetch: streams dataset chunks by their digest, no faster than the worker reads. */
export function serveChunks(chunks: ReadonlyMap<string, ChunkBytes>, traffic?: Traffic) {
  return (call: FetchCall): void => {
    const chunk = chunks.get(call.request.digest);
    if (!chunk) {
      const digest = printable(call.request.digest.slice(0, 64));
      const error = new ClusterError('UNKNOWN_CHUNK', `fetch: expected a chunk of this job, got ${digest}; join again`);
      call.emit('error', toStatus(error));
      return;
    }
    void streamChunk(call, chunk, traffic);
  };
}

async function streamChunk(call: FetchCall, chunk: ChunkBytes, traffic?: Traffic): Promise<void> {
  const totalBytes = chunk.reduce((sum, bytes) => sum + bytes.byteLength, 0);
  for (const data of messagesOf(chunk)) {
    if (call.cancelled || call.destroyed) return;
    traffic?.addSent('dataset', data.byteLength);
    if (!call.write({ totalBytes, data })) await drained(call);
  }
  call.end();
}

function* messagesOf(chunk: ChunkBytes): Generator<Uint8Array> {
  for (const bytes of chunk) {
    for (let begin = 0; begin < bytes.byteLength; begin += messageBytes) {
      yield bytes.subarray(begin, begin + messageBytes);
    }
  }
}

/** Resolves when the call accepts more data or has ended. */
function drained(call: FetchCall): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      for (const event of ['drain', 'cancelled', 'close', 'error']) call.off(event, settle);
      resolve();
    };
    for (const event of ['drain', 'cancelled', 'close', 'error']) call.on(event, settle);
  });
}
