import protobuf, { type Reader } from 'protobufjs/minimal.js';
import { coordinatorStates, type CoordinatorStatus } from '../plan/coordinator-status.js';
import { cleanText } from '../resource/clean-text.js';

/** Largest `StatusReply`, in bytes; one of 1,024 workers has less than 200 KiB. */
export const maxReplyBytes = 256 * 1024;

const maxWorkers = 4096;
const maxReason = 300;
const maxDevice = 253;
const maxSeconds = 1e9;
const maxTextBytes = 8192;
const hexDigest = /^([0-9a-f]{64})?$/;

type State = CoordinatorStatus['state'];

/** Start and end of a text in the reply. It is decoded at the end, because a field may be repeated any number of times. */
type Span = readonly [number, number];
const none: Span = [0, 0];

/** Fields read from a reply so far; absent ones have the contract's defaults. */
interface Draft {
  state: Span;
  reason: Span;
  step: number;
  totalSteps: number;
  epoch: number;
  epochs: number;
  loss: number;
  lossMean: number;
  imagesPerSecond: number;
  secondsLeft: number;
  testEpoch: number;
  testAccuracy: number;
  digest: Span;
  digestEpoch: number;
  fingerprint: Span;
  device: Span;
  workers: number;
  compiling: number;
}

const nothing: Draft = {
  ...{
    state: none,
    reason: none,
    step: 0,
    totalSteps: 0,
    epoch: 0,
    epochs: 0,
    loss: 0,
    lossMean: 0,
    imagesPerSecond: 0,
  },
  ...{ secondsLeft: 0, testEpoch: 0, testAccuracy: 0, digest: none, digestEpoch: 0, fingerprint: none, device: none },
  ...{ workers: 0, compiling: 0 },
};

/** Readers of the fields of `StatusReply` that plans use, by their tags: number times 8 plus wire type. */
const readers: Readonly<Record<number, (draft: Draft, reader: Reader) => void>> = {
  [field(2, 'bytes')]: (draft, reader) => (draft.state = span(reader)),
  [field(3, 'bytes')]: (draft, reader) => (draft.reason = span(reader)),
  [field(4, 'varint')]: (draft, reader) => (draft.step = reader.uint32()),
  [field(5, 'varint')]: (draft, reader) => (draft.totalSteps = reader.uint32()),
  [field(6, 'varint')]: (draft, reader) => (draft.epoch = reader.uint32()),
  [field(7, 'varint')]: (draft, reader) => (draft.epochs = reader.uint32()),
  [field(8, 'double')]: (draft, reader) => (draft.loss = reader.double()),
  [field(9, 'double')]: (draft, reader) => (draft.imagesPerSecond = reader.double()),
  [field(10, 'double')]: (draft, reader) => (draft.testAccuracy = reader.double()),
  [field(13, 'bytes')]: countWorker,
  [field(19, 'double')]: (draft, reader) => (draft.lossMean = reader.double()),
  [field(20, 'double')]: (draft, reader) => (draft.secondsLeft = reader.double()),
  [field(23, 'varint')]: (draft, reader) => (draft.testEpoch = reader.uint32()),
  [field(24, 'bytes')]: (draft, reader) => (draft.digest = span(reader)),
  [field(25, 'varint')]: (draft, reader) => (draft.digestEpoch = reader.uint32()),
  [field(32, 'bytes')]: (draft, reader) => (draft.fingerprint = span(reader)),
  [field(33, 'bytes')]: (draft, reader) => (draft.device = span(reader)),
};
const workerState = field(2, 'bytes');

/**
 * Reads the fields of a `StatusReply` (proto/lockstep/v1/control.proto) that plans use, and checks and bounds each.
 *
 * A job chooses its coordinator's image, so the reply may be anything. Workers are counted, not built: a list of 256 KiB
 * would be 130,000 objects and half a second of work.
 * @throws Error when the bytes are no status, or one that no coordinator sends.
 */
export function readStatusReply(bytes: Uint8Array): CoordinatorStatus {
  const draft = { ...nothing };
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const read = readers[tag];
    if (read) read(draft, reader);
    else skip(reader, tag);
  }
  return bounded(draft, ([from, to]) =>
    Buffer.from(bytes.subarray(from, Math.min(to, from + maxTextBytes))).toString(),
  );
}

function bounded(draft: Draft, text: (span: Span) => string): CoordinatorStatus {
  const { step, totalSteps, epoch, epochs, testEpoch, digestEpoch, loss, lossMean, workers, compiling } = draft;
  return {
    ...{ step, totalSteps, epoch, epochs, testEpoch, digestEpoch, workers, readyWorkers: workers - compiling },
    state: stateOf(text(draft.state)),
    reason: cleanText(text(draft.reason), maxReason).replaceAll('\n', ' '),
    lossMean: loss === 0 && lossMean === 0 ? undefined : lossMean,
    imagesPerSecond: Math.round(clamp(draft.imagesPerSecond, Number.MAX_SAFE_INTEGER)),
    secondsLeft: clamp(draft.secondsLeft, maxSeconds),
    testAccuracy: clamp(draft.testAccuracy, 1),
    digest: digestOf('digest', text(draft.digest)),
    fingerprint: digestOf('fingerprint', text(draft.fingerprint)),
    device: cleanText(text(draft.device), maxDevice).replaceAll('\n', ' '),
  };
}

function countWorker(draft: Draft, reader: Reader): void {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new Error('status: expected a whole worker, got the end of the message');
  if (draft.workers === maxWorkers) throw new Error(`status: expected at most ${maxWorkers} workers, got more`);
  draft.workers += 1;
  let compiling = false;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === workerState) compiling = isCompiling(reader, span(reader));
    else skip(reader, tag);
  }
  if (reader.pos !== end) throw new Error('status: expected the end of a worker, got more of it');
  if (compiling) draft.compiling += 1;
}

function isCompiling({ buf }: Reader, [from, to]: Span): boolean {
  return to - from === 9 && Buffer.from(buf.subarray(from, to)).toString() === 'compiling';
}

function stateOf(state: string): State {
  const known = coordinatorStates.find((one) => one === state);
  if (known) return known;
  const got = JSON.stringify(cleanText(state, 40));
  throw new Error(`status: expected state ${coordinatorStates.join(', ')}, got ${got}`);
}

function digestOf(name: string, digest: string): string {
  if (hexDigest.test(digest)) return digest;
  throw new Error(`status: expected 64 hexadecimal digits as ${name}, got ${JSON.stringify(cleanText(digest, 80))}`);
}

function span(reader: Reader): Span {
  const length = reader.uint32();
  const from = reader.pos;
  reader.skip(length);
  return [from, from + length];
}

/** Groups, which proto3 doesn't have, could be nested without limit. */
function skip(reader: Reader, tag: number): void {
  const type = tag & 7;
  if (type === 3 || type === 4) throw new Error('status: expected fields of proto3, got a group');
  reader.skipType(type);
}

/** Clamped to 0 to `max`; 0 for NaN. */
function clamp(value: number, max: number): number {
  return value > 0 ? Math.min(value, max) : 0;
}

function field(number: number, type: 'varint' | 'double' | 'bytes'): number {
  return number * 8 + { varint: 0, double: 1, bytes: 2 }[type];
}
