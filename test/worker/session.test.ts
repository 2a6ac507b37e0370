import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesOf, CHUNK_BYTES, CHUNK_VALUES, chunkFields } from '../../proto/chunks.js';
import { ClusterError, toStatus } from '../../proto/errors.js';
import type { ToWorker } from '../../proto/messages.js';
import type { EngineThread, ToEngine } from '../../worker/engine-thread.js';
import { WorkerSession } from '../../worker/session.js';
import { serve, within } from '../proto/wire.js';
import { PROTOCOL_VERSION } from '../../transport/services.js';
import { manifest, ScriptedEngine, type Stream, Talk, welcome } from './talk.js';

const info = { name: 'onnx', version: 'onnx 1', device: 'cpu', lowering: 'portable', threads: 1 };
const ready = { kind: 'ready', info, fingerprint: 'f0'.repeat(32), hasThreads: false, compileMs: 12 } as const;
const report = { shard: 0, samples: 2, lossSum: 3, correct: 1, computeMs: 4 };

describe('a session', () => {
  it('introduces itself, and is ready when its engine is', async () => {
    const talk = await Talk.welcomed();
    expect(talk.received[0]).toMatchObject({
      hello: { protocolVersion: PROTOCOL_VERSION, workerId: 'w1', pid: process.pid },
    });
    const native = { arithmetic: 1, target: 'avx2', reason: 'no AVX-512' };
    talk.engine.say({ ...ready, info: { ...info, ...native }, hasThreads: true });
    expect((await talk.next('ready')).ready).toEqual({
      ...{ engine: 'onnx', engineVersion: 'onnx 1', device: 'cpu', lowering: 'portable', threads: 1 },
      compileMs: 12,
      fingerprint: 'f0'.repeat(32),
      ...{ arithmetic: 1, cores: 4, target: 'avx2', targetReason: 'no AVX-512' },
      placement: '',
    });
  });

  it('reports where its programs run, in as many characters as a coordinator accepts', async () => {
    const talk = await Talk.welcomed();
    const placement = `3 of 400 operators run on the CPU (${'x'.repeat(300)})`;
    talk.engine.say({ ...ready, placement });
    expect((await talk.next('ready')).ready.placement).toBe(placement.slice(0, 200));
  });

  it('offers no cores with an engine that keeps its number of threads, and names no arithmetic', async () => {
    const talk = await Talk.welcomed();
    talk.engine.say(ready);
    expect((await talk.next('ready')).ready).toMatchObject({ cores: 1, arithmetic: 0, target: '', targetReason: '' });
  });

  it('sends heartbeats with its memory while nothing happens', async () => {
    const talk = await Talk.welcomed({ heartbeatMs: 50 });
    await talk.heartbeat();
    const heartbeat = await talk.heartbeat();
    expect(heartbeat).toMatchObject({ phase: 'idle', workerId: 'w1' });
    expect(heartbeat.residentBytes).toBeGreaterThan(10e6);
  });

  it("reports its engine's state in heartbeats without asking the engine", async () => {
    const talk = await Talk.welcomed({ heartbeatMs: 50 });
    talk.engine.progress.phase = 'computing';
    await talk.heartbeat(({ phase }) => phase === 'computing');
    const parameters = { term: 7, step: 3, evaluation: false };
    const vector = new Float32Array(CHUNK_VALUES + 2);
    await talk.say({ parameters: { ...parameters, ...chunkFields(vector, 0) } });
    await talk.heartbeat(({ phase }) => phase === 'receiving');
  });

  it('passes Compute messages and the assembled parameters to its engine', async () => {
    const talk = await Talk.welcomed();
    const vector = Float32Array.from({ length: CHUNK_VALUES + 2 }, (_, i) => i);
    const parameters = { term: 7, step: 3, evaluation: false };
    await talk.say(
      { compute: { term: 7, step: 3, generation: 1, nodes: [{ first: 0, count: 2 }], threads: [1, 2] } },
      { parameters: { ...parameters, ...chunkFields(vector, 0) } },
      { parameters: { ...parameters, ...chunkFields(vector, 1) } },
      { evaluate: { term: 7, step: 3, batches: [1] } },
      { finish: { reason: 'done' } },
    );
    expect(await talk.outcome()).toEqual({ reason: 'done' });
    const [forget, ...orders] = talk.engine.posted;
    expect(forget).toEqual({ kind: 'forget' });
    expect(orders.map(({ kind }) => kind)).toEqual(['compute', 'vector', 'evaluate']);
    expect(orders[0]).toMatchObject({
      kind: 'compute',
      message: { step: 3, nodes: [{ first: 0, count: 2 }], threads: [1, 2] },
    });
    expect(orders[2]).toEqual({ kind: 'evaluate', step: 3, batches: [1] });
    const { vector: received, used } = orders[1] as ToEngine & { kind: 'vector' };
    expect(received).toMatchObject({ step: 3, evaluation: false });
    expect(used).toEqual([]);
    expect(Buffer.from(received.values.slice().buffer).equals(Buffer.from(vector.buffer))).toBe(true);
  });

  it('sends a gradient in chunks, under its term, and gives its memory back', async () => {
    const talk = await Talk.welcomed();
    const gradient = Float32Array.from({ length: CHUNK_VALUES + 2 }, (_, i) => -i);
    const statistics = Float32Array.of(0.5);
    const node = { first: 0, count: 1 };
    const [reports, used] = [[{ ...report, statistics: bytesOf(statistics) }], new Float32Array(CHUNK_VALUES + 2)];
    talk.engine.onResult!({ term: 7, step: 3, node, gradient, reports, stamps: undefined }, [used]);
    const first = (await talk.next('partial')).partial;
    const second = (await talk.next('partial')).partial;
    const sent = { term: 7, step: 3, node, chunks: 2 };
    expect(first).toMatchObject({
      ...sent,
      chunk: 0,
      reports: [{ ...report, statistics: Buffer.from(statistics.buffer) }],
    });
    expect(second).toMatchObject({ ...sent, chunk: 1, reports: [] });
    expect([first.data.byteLength, second.data.byteLength]).toEqual([CHUNK_BYTES, 8]);
    expect(Buffer.concat([first.data, second.data]).equals(Buffer.from(gradient.buffer))).toBe(true);
    const parameters = [0, 1].map((chunk) => ({
      term: 7,
      step: 4,
      evaluation: false,
      ...chunkFields(gradient, chunk),
    }));
    await talk.say({ parameters: parameters[0]! }, { parameters: parameters[1]! }, { finish: { reason: 'done' } });
    await talk.outcome();
    const vector = talk.engine.posted.find((message) => message.kind === 'vector');
    expect([vector?.vector.values === used, vector?.used.length, vector?.used[0] === gradient]).toEqual([
      true,
      1,
      true,
    ]);
  });

  it('ends with a retryable error when parameters were damaged in transit', async () => {
    const talk = await Talk.welcomed();
    const fields = chunkFields(new Float32Array(CHUNK_VALUES + 2), 0);
    await talk.say({ parameters: { term: 7, step: 3, evaluation: false, ...fields, crc: fields.crc ^ 1 } });
    expect(await talk.outcome()).toMatchObject({ code: 'BAD_CHUNK', retryable: true });
  });

  it('sends evaluation rows', async () => {
    const talk = await Talk.welcomed();
    talk.engine.say({ kind: 'rows', step: 3, batch: 1, rows: Float32Array.of(-1, -2) });
    expect((await talk.next('rows')).rows).toEqual({
      term: 7,
      step: 3,
      batch: 1,
      data: Buffer.from(Float32Array.of(-1, -2).buffer),
      crc: crc32(new Uint8Array(Float32Array.of(-1, -2).buffer)),
    });
  });
});

describe('the end of a session', () => {
  it('by leaving arrives at the coordinator with its reason', async () => {
    const talk = await Talk.welcomed();
    talk.session.leave('SIGTERM');
    expect(await talk.outcome()).toEqual({ reason: 'SIGTERM' });
    await within(talk.ended, 'the coordinator to see it');
    expect(talk.received.at(-1)).toMatchObject({ leaving: { reason: 'SIGTERM' } });
  });

  it('by leaving comes after the current computation for a step', async () => {
    const talk = await Talk.welcomed();
    await talk.say({ compute: { term: 7, step: 3, generation: 1, nodes: [{ first: 0, count: 1 }], threads: [] } });
    const hasCompute = () => talk.engine.posted.some(({ kind }) => kind === 'compute');
    while (!hasCompute()) await within(new Promise(setImmediate), 'the Compute message');
    talk.engine.say(ready);
    talk.session.leave('SIGTERM');
    expect(talk.engine.posted.at(-1)).toEqual({ kind: 'drain' });
    const gradient = new Float32Array(manifest.parameterCount);
    const node = { first: 0, count: 1 };
    talk.engine.onResult!({ term: 7, step: 3, node, gradient, reports: [], stamps: undefined }, []);
    talk.engine.say({ kind: 'drained' });
    expect(await talk.outcome()).toEqual({ reason: 'SIGTERM' });
    await within(talk.ended, 'the coordinator to see it');
    const kinds = talk.received.map(({ message }) => message);
    expect(kinds.slice(-3)).toEqual(['partial', 'partial', 'leaving']);
  });

  it('by leaving does not wait for a long computation', async () => {
    const talk = await Talk.welcomed();
    await talk.say({ compute: { term: 7, step: 3, generation: 1, nodes: [{ first: 0, count: 1 }], threads: [] } });
    const hasCompute = () => talk.engine.posted.some(({ kind }) => kind === 'compute');
    while (!hasCompute()) await within(new Promise(setImmediate), 'the Compute message');
    talk.engine.say(ready);
    talk.session.leave('SIGTERM');
    expect(await talk.outcome()).toEqual({ reason: 'SIGTERM' });
    expect(talk.received.at(-1)).toMatchObject({ leaving: { reason: 'SIGTERM' } });
  });

  it.each(['ENGINE_FAILED', 'BAD_ENGINE'])(
    'by a failed engine arrives at the coordinator as %s, and is not worth a retry',
    async (code) => {
      const talk = await Talk.welcomed();
      talk.engine.say({ kind: 'failed', message: 'no such kernel', isFinal: code === 'BAD_ENGINE' });
      expect(await talk.outcome()).toMatchObject({ code, retryable: false });
      await within(talk.ended, 'the coordinator to see it');
      expect(talk.received.at(-1)).toMatchObject({ failure: { code, message: 'no such kernel' } });
    },
  );

  it.each<[string, (call: Stream) => void, boolean]>([
    ['at once while nobody has welcomed it', () => undefined, false],
    ['a moment later when the coordinator does not answer', (call) => void call.write({ welcome }), true],
  ])('by leaving comes %s', async (_, join, welcomed) => {
    const session = new WorkerSession({
      coordinator: await serve({ Join: join }),
      workerId: 'w1',
      beatKey: new Uint8Array(16),
      cores: 4,
      welcomeLimitMs: 60_000,
      log: () => undefined,
      engineFor: () => new ScriptedEngine() as unknown as EngineThread,
      chunksFor: () => new Map(),
    });
    const run = session.run();
    while (session.welcomed !== welcomed) await new Promise(setImmediate);
    session.leave('SIGINT');
    session.leave('again');
    expect(await within(run, 'the end')).toEqual({ reason: 'SIGINT' });
  });

  it('by a rejection has the coordinator’s message and code', async () => {
    const talk = await Talk.start();
    await talk.fail(toStatus(new ClusterError('PROTOCOL_VERSION', 'join: expected protocol version 2')));
    expect(await talk.outcome()).toMatchObject({
      code: 'PROTOCOL_VERSION',
      message: 'join: expected protocol version 2',
      retryable: false,
    });
    expect(talk.session.welcomed).toBe(false);
  });

  it('by a coordinator that just closes is retryable', async () => {
    const talk = await Talk.welcomed();
    await talk.end();
    expect(await talk.outcome()).toMatchObject({ code: 'UNREACHABLE', retryable: true });
  });

  it('comes when no Welcome does, with the limit', async () => {
    const talk = await Talk.start(300);
    expect(await talk.outcome()).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/^join \S+: expected Welcome within 0\.3 s, got nothing$/) as string,
    });
  });

  const parameters = { term: 7, step: 0, evaluation: false, chunk: 0, chunks: 2 };
  it.each<[string, ToWorker, RegExp]>([
    ['a job that is none', { welcome: { ...welcome, jobJson: '{"spec":1}' } }, /job manifest/],
    ['a job that is no JSON', { welcome: { ...welcome, jobJson: '{' } }, /job manifest/],
    [
      'an order before Welcome',
      { compute: { term: 7, step: 0, generation: 0, nodes: [], threads: [] } },
      /expected Welcome before any other message/,
    ],
    [
      'an assignment before Welcome',
      { assignment: { generation: 0, shards: [0], evaluationBatches: [] } },
      /expected Welcome before any other message/,
    ],
    [
      'parameters of another length',
      { parameters: { ...parameters, data: Buffer.alloc(8), crc: 0 } },
      /^parameters of step 0: expected chunk 0\.\.1 of 2 with 262144 bytes, got chunk 0 of 2 with 8 bytes/,
    ],
    [
      'a shard that the job does not have',
      { assignment: { generation: 1, shards: [9], evaluationBatches: [] } },
      /^assignment: expected shard 0\.\.1, got 9$/,
    ],
    [
      'an order without nodes',
      { compute: { term: 7, step: 3, generation: 0, nodes: [], threads: [] } },
      /^compute of step 3: expected nodes of the tree over 2 shards, got none; install the same Lockstep version/,
    ],
    [
      'an order of a node that the job does not have',
      { compute: { term: 7, step: 3, generation: 0, nodes: [{ first: 1, count: 2 }], threads: [] } },
      /^compute of step 3: expected nodes of the tree over 2 shards, got {"first":1,"count":2}/,
    ],
    [
      'an evaluation without batches',
      { evaluate: { term: 7, step: 3, batches: [] } },
      /^evaluate after step 3: expected some of batches 0\.\.1, got none/,
    ],
    [
      'an evaluation of a batch that the job does not have',
      { evaluate: { term: 7, step: 3, batches: [0, 2] } },
      /^evaluate after step 3: expected some of batches 0\.\.1, got batch 2/,
    ],
    [
      'an evaluation batch that the job does not have',
      { assignment: { generation: 1, shards: [], evaluationBatches: [2] } },
      /^assignment: expected evaluation 0\.\.1, got 2$/,
    ],
  ])('comes with %s', async (what, message, words) => {
    const talk = await (what.endsWith('before Welcome') || 'welcome' in message ? Talk.start() : Talk.welcomed());
    await talk.say(message);
    const error = (await talk.outcome()) as ClusterError;
    expect(error).toMatchObject({ code: 'BAD_MESSAGE', retryable: false });
    expect(error.message).toMatch(words);
  });
});
