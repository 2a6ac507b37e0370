import {
  Metadata,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { callMetadata } from '../../transport/auth.js';
import { ClusterError, type ClusterErrorCode, fromServiceError, toStatus } from '../../proto/errors.js';
import type { DataChunk, FetchRequest, StatusReply } from '../../proto/messages.js';
import { controlClient, dataClient, serve, within } from './wire.js';

/** True if a worker retries. */
const retryable: Record<ClusterErrorCode, boolean> = {
  PROTOCOL_VERSION: false,
  UNAUTHENTICATED: false,
  UNTRUSTED: false,
  BAD_MESSAGE: false,
  BAD_CHUNK: true,
  UNKNOWN_CHUNK: false,
  STALE_PARTIAL: false,
  UNREACHABLE: true,
  LOST: true,
  DUPLICATE_WORKER: true,
  ENGINE_FAILED: false,
  BAD_ENGINE: false,
  OTHER_ENGINE: false,
  NON_FINITE: false,
  PORT_IN_USE: false,
  NO_WORKERS: false,
  REFUSED: false,
  STOPPED: false,
};
const codes = Object.keys(retryable) as ClusterErrorCode[];

/** The client's error for a server that answers every Status call with `error`. */
async function received(error: object): Promise<ClusterError> {
  const address = await serve({
    Status: (_: ServerUnaryCall<object, StatusReply>, reply: sendUnaryData<StatusReply>) => reply(error),
  });
  const answer = new Promise<ClusterError>((resolve, reject) => {
    controlClient(address).Status({}, callMetadata(), { deadline: Date.now() + 5_000 }, (failure) => {
      if (failure) resolve(fromServiceError(failure, 'status'));
      else reject(new Error('expected an error'));
    });
  });
  return within(answer, 'an answer');
}

describe('a ClusterError on the wire', () => {
  it.each(codes)('arrives with its code and message: %s', async (code) => {
    const words = 'join: expected 5 ≥ 3 (100 %), got "ä"; line one\nline two';
    const error = await received(toStatus(new ClusterError(code, words)));
    expect(error).toBeInstanceOf(ClusterError);
    expect(error).toMatchObject({ code, message: words, retryable: retryable[code] });
    expect(error.cause).toMatchObject({ details: words });
  });

  it('ends a server stream too, after what was sent before it', async () => {
    const address = await serve({
      Fetch: (call: ServerWritableStream<FetchRequest, DataChunk>) => {
        call.write({ totalBytes: 9, data: Buffer.from([1]) });
        call.emit('error', toStatus(new ClusterError('UNKNOWN_CHUNK', 'fetch: gone')));
      },
    });
    const call = dataClient(address).Fetch({ digest: 'x' }, callMetadata());
    const chunks: number[] = [];
    call.on('data', (chunk: DataChunk) => chunks.push(chunk.data[0]!));
    const error = new Promise<ServiceError>((resolve) => call.on('error', resolve));
    expect(fromServiceError(await within(error, 'an error'), 'fetch')).toMatchObject({
      code: 'UNKNOWN_CHUNK',
      message: 'fetch: gone',
    });
    expect(chunks).toEqual([1]);
  });

  it('survives invalid Unicode, such as a character cut in the middle', async () => {
    const error = await received(toStatus(new ClusterError('BAD_MESSAGE', 'from worker 😀'.slice(0, -1))));
    expect(error).toMatchObject({ code: 'BAD_MESSAGE', message: 'from worker \ufffd' });
  });

  it('survives text that exceeds the limit of a header', async () => {
    const error = await received(toStatus(new ClusterError('ENGINE_FAILED', `engine: ${'ä'.repeat(200_000)}`)));
    expect(error.code).toBe('ENGINE_FAILED');
    expect(error.message).toMatch(/^engine: ä{100}/);
  });
});

describe('a status from elsewhere than a ClusterError', () => {
  it.each([
    [status.UNAVAILABLE, 'UNREACHABLE'],
    [status.DEADLINE_EXCEEDED, 'UNREACHABLE'],
    [status.CANCELLED, 'UNREACHABLE'],
    [status.INTERNAL, 'UNREACHABLE'],
    [status.UNAUTHENTICATED, 'UNAUTHENTICATED'],
    [status.INVALID_ARGUMENT, 'BAD_MESSAGE'],
    [status.UNIMPLEMENTED, 'BAD_MESSAGE'],
  ] as const)('%i becomes %s and names the failed operation', async (code, expected) => {
    const error = await received({ code, details: 'proxy says no' });
    expect(error).toMatchObject({ code: expected, message: 'status: proxy says no' });
  });

  it('is read by its status when its code is unknown', () => {
    for (const unknown of ['NO_SUCH_CODE', 'constructor', '']) {
      const metadata = new Metadata();
      metadata.set('lockstep-code', unknown);
      const error = Object.assign(new Error('x'), { code: status.UNAVAILABLE, details: 'x', metadata });
      expect(fromServiceError(error, 'join')).toMatchObject({ code: 'UNREACHABLE', message: 'join: x' });
    }
  });

  it('is UNREACHABLE when nothing listens', async () => {
    const address = await serve({});
    const closed = address.replace(/:\d+$/, ':1');
    const answer = new Promise<ServiceError>((resolve) => {
      controlClient(closed).Status({}, callMetadata(), { deadline: Date.now() + 5_000 }, (failure) =>
        resolve(failure!),
      );
    });
    const error = fromServiceError(await within(answer, 'an error'), `status of ${closed}`);
    expect(error).toMatchObject({ code: 'UNREACHABLE', retryable: true });
    expect(error.message).toContain(`status of ${closed}: `);
  });
});
