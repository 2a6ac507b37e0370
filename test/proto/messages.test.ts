import type { MethodDefinition } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type {
  DataChunk,
  FetchRequest,
  FromWorkerFields,
  HistoryReply,
  Node,
  Partial,
  ShardReport,
  Stamps,
  StatusReply,
  ToWorkerFields,
  WorkerStatus,
} from '../../proto/messages.js';
import { Cluster, Control, Data } from '../../transport/services.js';

/** The largest value of the wire's uint32. */
const most = 0xffffffff;
const node: Node = { first: 3, count: 2 };
const report: ShardReport = {
  shard: 3,
  samples: 49,
  lossSum: 112.0625,
  correct: 7,
  statistics: Buffer.from([0, 0, 128, 63]),
  computeMs: 31.5,
};

const stamps: Stamps = {
  orderSentMs: 1e9 + 0.5,
  orderReceivedMs: 2.25,
  parametersBeginMs: 3,
  parametersEndMs: 4.5,
  shards: [
    { shard: 3, beginMs: 5, endMs: 6 },
    { shard: 4, beginMs: 6, endMs: 7.75 },
  ],
  sendBeginMs: 8,
  sendEndMs: 9,
};

/** Every field of every message, with values that differ from all defaults. */
const fromWorker: FromWorkerFields = {
  hello: {
    protocolVersion: 1,
    workerId: 'gpu-3-äöü-1f',
    host: 'gpu-3',
    pid: most,
    runtime: 'v20.20.2 linux x64',
    beatKey: Buffer.from([0, 1, 255]),
  },
  ready: {
    engine: 'onnx',
    engineVersion: 'onnxruntime-node 1.30.0',
    device: 'cpu',
    lowering: 'portable',
    threads: 2,
    compileMs: 512.25,
    fingerprint: '0123456789abcdef'.repeat(4),
    arithmetic: 1,
    cores: 16,
    target: 'avx512',
    targetReason: 'the fastest',
    placement: '1 of 122 operators run on the CPU',
  },
  heartbeat: {
    phase: 'computing',
    residentBytes: 2 ** 40 + 1,
    sentMs: 1e9 + 1 / 1024,
    workerId: 'w1',
    beatKey: Buffer.from([9]),
  },
  holding: { shards: [0, 4, most] },
  partial: {
    term: 1,
    step: most,
    node,
    chunk: 1,
    chunks: 3,
    data: Buffer.from([0, 255, 128]),
    crc: most,
    reports: [report, { ...report, shard: 4 }],
    stamps,
  },
  rows: { term: 1, step: 1435, batch: 19, data: Buffer.from([1, 2, 3, 4]), crc: 0x89abcdef },
  failure: { code: 'ENGINE_FAILED', message: 'two\nlines' },
  leaving: { reason: 'SIGTERM' },
};
const toWorker: ToWorkerFields = {
  welcome: { jobJson: '{"spec":{}}', term: 1, heartbeatMs: 500 },
  assignment: { generation: 2, shards: [0, 1], evaluationBatches: [7, 8, 9] },
  compute: {
    term: 1,
    step: 12,
    generation: 2,
    nodes: [node, { first: 0, count: 3 }],
    threads: [1, 1, 1, 2],
    sentMs: 5e8 + 0.25,
  },
  evaluate: { term: 1, step: 205, batches: [0, 1] },
  parameters: {
    term: 1,
    step: 12,
    evaluation: true,
    chunk: 2,
    chunks: 3,
    data: Buffer.from([9]),
    crc: 0,
  },
  finish: { reason: 'the job is over' },
};
const fetchRequest: FetchRequest = { digest: 'ab'.repeat(32) };
const dataChunk: DataChunk = { totalBytes: 2 ** 33, data: Buffer.from([5, 6]) };
const worker: WorkerStatus = {
  workerId: 'w1',
  state: 'computing',
  shards: [1, 3],
  engine: 'onnxruntime-node 1.30.0 cpu',
  silentMs: 12.5,
  residentBytes: 3e9,
  holding: [0, 1, 3],
  stepMs: 71.5,
  sentBytes: 2 ** 33 + 5,
  receivedBytes: 2 ** 40 + 1,
  engineReason: 'the fastest',
};
const statusReply: StatusReply = {
  job: 'cluster-cnn3',
  state: 'training',
  reason: 'epoch 2',
  step: 300,
  totalSteps: 1435,
  epoch: 2,
  epochs: 7,
  loss: 0.75,
  imagesPerSecond: 4096.5,
  testAccuracy: 0.5,
  generation: 3,
  term: 1,
  workers: [worker],
  audited: 12,
  speculated: 3,
  faults: 1,
  skipped: 2,
  learningRate: 0.05,
  lossMean: 0.875,
  secondsLeft: 61.5,
  samplesTrained: 2 ** 33,
  testLoss: 1.5,
  testEpoch: 1,
  digest: 'cd'.repeat(32),
  digestEpoch: 1,
  checkpointStep: 205,
  runDirectory: '/data/runs/a',
  model: 'cnn3',
  dataset: 'CIFAR-10',
  synthetic: true,
  waitingFor: [{ workerId: 'w1', phase: 'sending', shards: [1, 3] }],
  fingerprint: 'ef'.repeat(32),
  device: 'cpu',
};
const historyReply: HistoryReply = {
  steps: [4, 8],
  losses: [2.25, 1.5],
  evaluations: [{ epoch: 1, step: 205, loss: 1.5, accuracy: 0.5 }],
  notes: [{ timeMs: 1.75e12, text: 'paused: on demand' }],
};

type Method = MethodDefinition<object, object>;
interface Descriptor {
  readonly type: { readonly field: readonly { readonly name: string }[] };
}
const join = Cluster.service['Join'] as unknown as Method & { requestType: Descriptor; responseType: Descriptor };
const fetch = Data.service['Fetch'] as unknown as Method;
const status = Control.service['Status'] as unknown as Method;
const history = Control.service['History'] as unknown as Method;

describe('messages of the wire', () => {
  it.each(Object.entries(fromWorker))('passes %s from a worker unchanged, and names it', (name, value) => {
    const received = join.requestDeserialize(join.requestSerialize({ [name]: value as object }));
    expect(received).toEqual({ message: name, [name]: value });
  });

  it.each(Object.entries(toWorker))('passes %s to a worker unchanged, and names it', (name, value) => {
    const received = join.responseDeserialize(join.responseSerialize({ [name]: value as object }));
    expect(received).toEqual({ message: name, [name]: value });
  });

  it('has no message in the contract that the types lack', () => {
    const names = ({ type }: Descriptor) => type.field.map(({ name }) => name);
    expect(names(join.requestType)).toEqual(Object.keys(fromWorker));
    expect(names(join.responseType)).toEqual(Object.keys(toWorker));
  });

  it('passes requests for data, and data beyond 4 GiB in length', () => {
    expect(fetch.requestDeserialize(fetch.requestSerialize(fetchRequest))).toEqual(fetchRequest);
    expect(fetch.responseDeserialize(fetch.responseSerialize(dataChunk))).toEqual(dataChunk);
  });

  it('passes a status with its workers', () => {
    expect(status.responseDeserialize(status.responseSerialize(statusReply))).toEqual(statusReply);
  });

  it('passes a history with its curve, evaluations and notes', () => {
    expect(history.responseDeserialize(history.responseSerialize(historyReply))).toEqual(historyReply);
  });

  it('fills in defaults for missing fields, and reads a message of no kind as one without a name', () => {
    const sent: { partial: Pick<Partial, 'step'> } = { partial: { step: 4 } };
    expect(join.requestDeserialize(join.requestSerialize(sent))).toEqual({
      message: 'partial',
      partial: {
        ...{ term: 0, step: 4, node: null, chunk: 0, chunks: 0, data: Buffer.alloc(0), reports: [], crc: 0 },
        stamps: null,
      },
    });
    expect(join.requestDeserialize(Buffer.alloc(0))).toEqual({});
  });

  it('accepts bytes from memory that two threads share', () => {
    const data = new Uint8Array(new SharedArrayBuffer(8), 2, 4);
    data.set([1, 2, 3, 4]);
    const message = { parameters: { ...toWorker.parameters, data } };
    const received = join.responseDeserialize(join.responseSerialize(message)) as typeof message;
    expect([...received.parameters.data]).toEqual([1, 2, 3, 4]);
  });
});
