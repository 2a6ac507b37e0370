import type { handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { ClusterServer, type Handlers } from '../../../coordinator/membership/server.js';
import { CoordinatorCalls } from '../../../operator/coordinators/coordinator-calls.js';
import type { JobIdentity } from '../../../operator/kube/secrets.js';
import type { TrainingJob } from '../../../operator/resource/training-job.js';
import { type ClusterCertificates, makeCertificates } from '../../../transport/certificates.js';
import type { StatusReply } from '../../../proto/messages.js';
import { until } from '../../until.js';

const limitMs = 8_000;
const token = 'a-token-of-32-characters-or-so-ok';
const job = { metadata: { name: 'job', namespace: 'default', uid: 'uid' } } as TrainingJob;
let certificates: ClusterCertificates;
beforeAll(async () => {
  certificates = await makeCertificates({ hosts: ['job-coordinator'], days: 1, nowMs: Date.now() });
});

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Stream = ServerWritableStream<object, Partial<StatusReply>>;

/** The coordinator's own server, with mutual TLS and token, and the test's answers. */
async function serve(watch: (stream: Stream) => void, checkpoint: handleUnaryCall<object, object> = () => undefined) {
  const { ca, coordinator } = certificates;
  const control = { Watch: watch as handleServerStreamingCall<object, object>, Checkpoint: checkpoint };
  const handlers = { cluster: {}, data: {}, control } as unknown as Handlers;
  const server = new ClusterServer(handlers, { token, tls: { ca, ...coordinator } });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  cleanups.push(() => server.close(0));
  return { pod: 'job-coordinator-1', address: `127.0.0.1:${port}`, serverName: 'job-coordinator' };
}

function follower(changes: Partial<JobIdentity> = {}) {
  const news: number[] = [];
  const outcomes: string[] = [];
  const forgotten: string[] = [];
  const identity: JobIdentity = { ca: certificates.ca, ...certificates.worker, token, ...changes };
  const calls = new CoordinatorCalls({
    secrets: { identity: () => Promise.resolve(identity), forget: (uid) => forgotten.push(uid) },
    onUpdate: () => news.push(calls.answer('uid')?.status?.step ?? -1),
    onCall: (method, outcome) => outcomes.push(`${method} ${outcome}`),
  });
  cleanups.push(() => calls.close());
  return { calls, news, outcomes, forgotten };
}

test('a coordinator is followed over mutual TLS to its end; a change of state is news at once, progress is not', async () => {
  const said: Partial<StatusReply>[] = [
    { state: 'waiting', reason: 'waiting for workers: 0 of 1 ready' },
    { state: 'training', step: 1 },
    ...[2, 3, 4, 5].map((step) => ({ state: 'training', step, reason: `waiting for step ${step}` })),
    { state: 'paused', step: 5 },
    { state: 'finished', step: 9, digest: 'd'.repeat(64) },
  ];
  const ask = await serve((stream) => {
    for (const status of said) stream.write(status);
    stream.end();
  });
  const { calls, news, outcomes } = follower();
  calls.follow(job, ask);
  await until(() => outcomes.length > 0, limitMs, 'the end of the stream');
  expect(news).toEqual([0, 1, 5, 9]);
  expect(outcomes).toEqual(['watch ok']);
  expect(calls.answer('uid')).toMatchObject({ pod: ask.pod, status: { state: 'finished', step: 9 } });
  expect(calls.answer('uid')?.error).toBeUndefined();
});

test('while a coordinator does not answer, the reason is reported and its last answer kept; it is found again', async () => {
  let streams = 0;
  const ask = await serve((stream) => {
    streams += 1;
    if (streams === 2) return void stream.emit('error', { code: 14, details: 'broken' });
    stream.write({ state: 'training', step: 10 * streams });
    if (streams === 1) setTimeout(() => stream.emit('error', { code: 14, details: 'cut' }), 20);
  });
  const { calls, forgotten } = follower();
  calls.follow(job, ask);
  await until(() => calls.answer('uid')?.error !== undefined, limitMs, 'an error');
  expect(calls.answer('uid')?.status?.step).toBe(10);
  expect(calls.answer('uid')?.error).toContain('watch 127.0.0.1');
  await until(() => calls.answer('uid')?.status?.step === 30, limitMs, 'the third stream');
  expect(calls.answer('uid')?.error).toBeUndefined();
  // The certificate may have expired, so a new one was made after the second failure.
  expect(forgotten).toEqual(['uid']);
});

test('a coordinator that the plan no longer polls is no longer followed, and its last answer stays', async () => {
  let cancelled = false;
  const ask = await serve((stream) => {
    stream.write({ state: 'training', step: 7 });
    stream.on('cancelled', () => (cancelled = true));
  });
  const { calls } = follower();
  calls.follow(job, ask);
  await until(() => calls.answer('uid') !== undefined, limitMs, 'a status');
  calls.follow(job, undefined);
  await until(() => cancelled, limitMs, 'the end of the stream');
  expect(calls.answer('uid')?.status?.step).toBe(7);
  calls.forget('uid');
  expect(calls.answer('uid')).toBeUndefined();
});

test('a checkpoint is requested of the coordinator that is followed, once, and of no other; its end is news', async () => {
  let asked = 0;
  const ask = await serve(
    (stream) => stream.write({ state: 'training', step: 7 }),
    (_call, answer) => {
      asked += 1;
      answer(null, { step: 7, state: 'training', message: 'checkpoint written' });
    },
  );
  const { calls, outcomes, news } = follower();
  calls.follow(job, ask);
  await until(() => calls.answer('uid') !== undefined, limitMs, 'a status');
  expect([calls.checkpoint('uid', 'job-coordinator-0'), calls.checkpoint('another', ask.pod)]).toEqual([true, true]);
  expect([calls.checkpoint('uid', ask.pod), calls.checkpoint('uid', ask.pod)]).toEqual([false, false]);
  await until(() => outcomes.length > 0, limitMs, 'the checkpoint');
  expect([asked, outcomes, news]).toEqual([1, ['checkpoint ok'], [7, 7]]);
  expect(calls.checkpoint('uid', ask.pod)).toBe(true);
});

test('a server without a certificate of the job is not trusted, and distinguished from an unavailable one', async () => {
  const ask = await serve((stream) => stream.write({ state: 'training', step: 7 }));
  const { calls } = follower();
  calls.follow(job, { ...ask, serverName: 'another-coordinator' });
  await until(() => calls.answer('uid')?.error !== undefined, limitMs, 'an error');
  expect(calls.answer('uid')).toMatchObject({ untrusted: true });
  expect(calls.answer('uid')?.status).toBeUndefined();

  calls.follow(job, { ...ask, pod: 'job-coordinator-2', address: '127.0.0.1:1' });
  await until(() => calls.answer('uid')?.error !== undefined, limitMs, 'an error');
  expect(calls.answer('uid')).toMatchObject({ pod: 'job-coordinator-2', untrusted: false });
});

test('a coordinator that rejects the token or the certificate is reported as having another key', async () => {
  const ask = await serve((stream) => stream.write({ state: 'training', step: 7 }));
  const others = await makeCertificates({ hosts: ['job-coordinator'], days: 1, nowMs: Date.now() });
  const wrong: Partial<JobIdentity>[] = [{ token: `${token}!` }, others.worker];
  for (const identity of wrong) {
    const { calls } = follower(identity);
    calls.follow(job, ask);
    await until(() => calls.answer('uid')?.error !== undefined, limitMs, 'an error');
    expect(calls.answer('uid')).toMatchObject({ untrusted: true });
  }
});
