import { describe, expect, it } from 'vitest';
import { OutgoingVector } from '../../../transport/outgoing-vector.js';
import { WorkerSession } from '../../../coordinator/membership/session.js';
import { Traffic } from '../../../coordinator/membership/traffic.js';
import { CHUNK_VALUES } from '../../../proto/chunks.js';
import { ClusterError } from '../../../proto/errors.js';
import type { ToWorker } from '../../../proto/messages.js';
import { GrpcTransport, type JoinStream } from '../../../transport/grpc-transport.js';
import { PROTOCOL_VERSION } from '../../../transport/services.js';
import { serve } from '../../proto/wire.js';
import { RawWorker } from '../raw-worker.js';

const hello = {
  protocolVersion: PROTOCOL_VERSION,
  workerId: 'w1',
  host: 'h',
  pid: 1,
  runtime: 'r',
  beatKey: new Uint8Array(16),
};
const kind = { term: 1, step: 0, evaluation: false };

/** A session over a stream, with the time 0. */
function sessionOver(stream: JoinStream, nowMs = 0, traffic?: Traffic): WorkerSession {
  const transport = new GrpcTransport(stream, { workerId: 'w1', parameterCount: 1 });
  return new WorkerSession({ hello, stream, transport, nowMs, traffic });
}

/** Dispatches a vector, as the session does with the message that needs it. */
function send(session: WorkerSession, vector: OutgoingVector): void {
  const { term, step, evaluation } = vector.kind;
  if (evaluation) session.evaluate({ term, step, batches: [0] }, vector);
  else session.compute({ term, step, generation: 1, nodes: [], threads: [] }, vector);
}

/** Both ends of a session. */
async function connect(total?: Traffic): Promise<{ session: WorkerSession; worker: RawWorker }> {
  let arrived!: (stream: JoinStream) => void;
  const stream = new Promise<JoinStream>((resolve) => (arrived = resolve));
  const address = await serve({ Join: (call: JoinStream) => arrived(call) });
  const worker = new RawWorker(address, 'w1');
  return { session: sessionOver(await stream, 0, total), worker };
}

describe('a vector', () => {
  it('travels in chunks and arrives unchanged, even if the worker reads nothing for a while', async () => {
    const { session, worker } = await connect();
    worker.pause();
    const vector = Float32Array.from({ length: 20 * CHUNK_VALUES + 1 }, (_, i) => i);
    send(session, new OutgoingVector(kind, vector));
    worker.resume();
    const received = new Float32Array(vector.length);
    for (let chunk = 0; chunk < 21; chunk++) {
      const { parameters } = await worker.next('parameters');
      expect(parameters).toMatchObject({ ...kind, chunk, chunks: 21 });
      new Uint8Array(received.buffer).set(parameters.data, chunk * CHUNK_VALUES * 4);
    }
    expect(Buffer.from(received.buffer).equals(Buffer.from(vector.buffer))).toBe(true);
  });

  it('is not sent again for the same step, but is for its evaluation and for the next step', async () => {
    const { session, worker } = await connect();
    for (const again of [kind, kind, { ...kind, evaluation: true }, { ...kind, step: 1 }, { ...kind, step: 1 }]) {
      send(session, new OutgoingVector(again, Float32Array.of(1)));
    }
    session.finish('done');
    await worker.next('finish');
    const sent = worker.received.flatMap((message) => (message.message === 'parameters' ? [message.parameters] : []));
    expect(sent.map(({ step, evaluation }) => [step, evaluation])).toEqual([
      [0, false],
      [0, true],
      [1, false],
    ]);
  });
});

describe('the bytes of a session', () => {
  it('are counted by kind, also with those of all others; nothing is when it is over', async () => {
    const total = new Traffic();
    total.addSent('parameters', 100);
    const { session } = await connect(total);
    for (const again of [kind, kind, { ...kind, evaluation: true }]) {
      send(session, new OutgoingVector(again, Float32Array.of(1, 2)));
    }
    session.traffic.addReceived('gradients', 5);
    session.finish('done');
    send(session, new OutgoingVector({ ...kind, step: 1 }, Float32Array.of(1)));
    expect(session.traffic.sent).toEqual({ parameters: 8, evaluation: 8, dataset: 0 });
    expect(total.sent).toEqual({ parameters: 108, evaluation: 8, dataset: 0 });
    expect(total.received).toEqual({ gradients: 5, rows: 0 });
  });
});

describe('an outgoing vector', () => {
  it('encodes a chunk once for all workers, and gives later ones the same bytes', () => {
    const values = Float32Array.of(1, 2);
    const vector = new OutgoingVector(kind, values);
    const first = vector.messages()[0]!.bytes;
    values[0] = 9;
    expect(vector.messages()[0]!.bytes).toBe(first);
    expect(new OutgoingVector(kind, values).messages()[0]!.bytes.equals(first)).toBe(false);
  });
});

describe('a session', () => {
  it('ends cleanly after everything sent before; nothing follows', async () => {
    const { session, worker } = await connect();
    session.send({ assignment: { generation: 1, shards: [0], evaluationBatches: [] } });
    session.finish('the job is over');
    session.send({ assignment: { generation: 2, shards: [], evaluationBatches: [] } });
    send(session, new OutgoingVector(kind, Float32Array.of(1)));
    session.reject(new ClusterError('LOST', 'too late'));
    session.finish('again');
    expect(await worker.ended).toBeUndefined();
    expect(worker.received.map(({ message }) => message)).toEqual(['assignment', 'finish']);
  });

  it('ends once, with the error of its rejection', async () => {
    const { session, worker } = await connect();
    session.reject(new ClusterError('LOST', 'heartbeat: silent'));
    session.reject(new ClusterError('BAD_MESSAGE', 'another'));
    session.finish('too late');
    expect(await worker.ended).toMatchObject({ code: 'LOST', message: 'heartbeat: silent' });
    expect(worker.received).toEqual([]);
  });
});

describe('the cores that a worker offers', () => {
  it('are those of its Ready', async () => {
    const { session } = await connect();
    expect(session.sharedCores).toBe(1);
    const engine = {
      engine: 'native',
      engineVersion: 'arithmetic 1',
      device: 'cpu',
      lowering: 'kernel plan',
      threads: 1,
    };
    session.ready = { ...engine, compileMs: 1, fingerprint: 'ab'.repeat(32), arithmetic: 1, cores: 4 };
    expect(session.sharedCores).toBe(4);
  });
});

describe('the silence of a worker', () => {
  const silent = () => sessionOver({} as JoinStream, 1_000);

  it('ends with any byte from it, even before its message is complete', () => {
    const session = silent();
    let bytes = 100;
    session.countBytes(() => bytes);
    session.noteBytes(2_000);
    expect(session.lastHeardMs).toBe(1_000);
    bytes += 1;
    session.noteBytes(3_000);
    session.noteBytes(4_000);
    expect([session.lastHeardMs, session.lastBytesMs]).toEqual([3_000, 3_000]);
  });

  it('does not count time in which the coordinator did not read', () => {
    const session = silent();
    session.excuse(1_500, 4_000);
    expect(session.lastHeardMs).toBe(2_500);
    session.excuse(10_000, 4_000);
    expect(session.lastHeardMs).toBe(4_000);
  });
});

describe("a worker's assignment", () => {
  it('is sent when it changes, and not again', () => {
    const sent: ToWorker[] = [];
    const session = sessionOver({ write: (message: ToWorker) => sent.push(message) } as never);
    session.assign({ shards: [1, 2], evaluationBatches: [0] }, 1);
    session.assign({ shards: [1, 2], evaluationBatches: [0] }, 2);
    session.assign({ shards: [2, 1], evaluationBatches: [0] }, 3);
    expect(sent).toEqual([
      { assignment: { generation: 1, shards: [1, 2], evaluationBatches: [0] } },
      { assignment: { generation: 3, shards: [2, 1], evaluationBatches: [0] } },
    ]);
  });
});
