import {
  makeGenericClientConstructor,
  credentials,
  type Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callMetadata, requireToken, tokensEqual } from '../../transport/auth.js';
import { fromServiceError } from '../../proto/errors.js';
import type { DataChunk, FetchRequest, ReceivedFromWorker, StatusReply, ToWorker } from '../../proto/messages.js';
import { clusterClient, controlClient, dataClient, type HealthCheck, serve, within } from '../proto/wire.js';

const token = 'correct-horse-battery-staple';

/** Outcome of a call: its answer, or the code of the error. */
type Outcome = string;

const outcomeOf = (error: ServiceError, call: string): Outcome => fromServiceError(error, call).code;

async function guarded(handled: string[]): Promise<string> {
  return serve(
    {
      Join: (stream: ServerDuplexStream<ReceivedFromWorker, ToWorker>) => {
        handled.push('Join');
        stream.on('data', () => stream.end());
        stream.write({ finish: { reason: 'welcome' } });
      },
      Fetch: (call: ServerWritableStream<FetchRequest, DataChunk>) => {
        handled.push('Fetch');
        call.write({ totalBytes: 1, data: Buffer.from([1]) });
        call.end();
      },
      Status: (_: ServerUnaryCall<object, StatusReply>, reply: sendUnaryData<StatusReply>) => {
        handled.push('Status');
        reply(null, { job: 'j' } as StatusReply);
      },
    },
    [requireToken(token)],
  );
}

const calls: Record<string, (address: string, metadata: Metadata) => Promise<Outcome>> = {
  Join: (address, metadata) =>
    new Promise((resolve) => {
      const stream = clusterClient(address).Join(metadata);
      let answer = 'ended';
      stream.on('data', ({ message }: { message: string }) => (answer = message));
      stream.on('error', (error) => resolve(outcomeOf(error as ServiceError, 'join')));
      stream.on('end', () => resolve(answer));
      stream.write({ leaving: { reason: 'test' } });
    }),
  Fetch: (address, metadata) =>
    new Promise((resolve) => {
      const call = dataClient(address).Fetch({ digest: 'd' }, metadata);
      let answer = 'ended';
      call.on('data', ({ totalBytes }: DataChunk) => (answer = `${totalBytes} byte`));
      call.on('error', (error) => resolve(outcomeOf(error as ServiceError, 'fetch')));
      call.on('end', () => resolve(answer));
    }),
  Status: (address, metadata) =>
    new Promise((resolve) => {
      controlClient(address).Status({}, metadata, { deadline: Date.now() + 5_000 }, (error, reply) =>
        resolve(error ? outcomeOf(error, 'status') : reply!.job),
      );
    }),
  'health Check': (address, metadata) =>
    new Promise((resolve) => {
      const Health = makeGenericClientConstructor(healthService, 'Health');
      const client = new Health(address, credentials.createInsecure());
      onTestFinished(() => client.close());
      const check = client['Check'] as HealthCheck;
      check.call(client, { service: '' }, metadata, (error, reply) =>
        resolve(error ? outcomeOf(error, 'health') : reply.status),
      );
    }),
};
const answers: Record<string, Outcome> = {
  Join: 'finish',
  Fetch: '1 byte',
  Status: 'j',
  'health Check': 'SERVING',
};

function bearer(text: string): Metadata {
  const metadata = callMetadata();
  metadata.set('authorization', text);
  return metadata;
}

describe.each(Object.keys(calls))('a server with a token, called by %s', (name) => {
  const call = calls[name]!;

  it.each([
    ['no token', callMetadata()],
    ['another token', callMetadata('wrong-horse-battery-staple')],
    ['the beginning of the token', callMetadata(token.slice(0, -1))],
    ['the token and more', callMetadata(`${token}x`)],
    ['an empty header', bearer('')],
    ['the token without its scheme', bearer(token)],
  ])('refuses %s before the call is handled', async (_, metadata) => {
    const handled: string[] = [];
    const address = await guarded(handled);
    expect(await within(call(address, metadata), 'an answer')).toBe('UNAUTHENTICATED');
    expect(handled).toEqual([]);
  });

  it('answers a call with the token', async () => {
    const address = await guarded([]);
    expect(await within(call(address, callMetadata(token)), 'an answer')).toBe(answers[name]);
  });
});

it('gives advice, and shows neither token', async () => {
  const address = await guarded([]);
  const sent = 'wrong-horse-battery-staple';
  const error = await new Promise<ServiceError>((resolve) => {
    controlClient(address).Status({}, callMetadata(sent), { deadline: Date.now() + 5_000 }, (failure) =>
      resolve(failure!),
    );
  });
  expect(error.details).toContain('pass --token-file');
  expect(JSON.stringify(error.metadata.toJSON()) + error.details).not.toContain('battery');
});

it('compares tokens of any length', () => {
  expect(tokensEqual('', '')).toBe(true);
  expect(tokensEqual(token, token)).toBe(true);
  expect(tokensEqual(token, token.toUpperCase())).toBe(false);
  expect(tokensEqual(token, `${token} `)).toBe(false);
  expect(tokensEqual(token, '')).toBe(false);
});
