import protobuf, { type Reader } from 'protobufjs';
import { messageType } from '../../proto/contract.js';
import type { StatusReply } from '../../proto/messages.js';
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

/** Fields of `StatusReply` that plans use, besides the workers. */
const used = [
  ...(['state', 'reason', 'step', 'totalSteps', 'epoch', 'epochs', 'loss', 'lossMean', 'imagesPerSecond'] as const),
  ...(['secondsLeft', 'testEpoch', 'testAccuracy', 'digest', 'digestEpoch', 'fingerprint', 'device'] as const),
] satisfies (keyof StatusReply)[];
type Used = (typeof used)[number];

/** Values read from a reply so far. */
type Draft = { [Name in Used]: StatusReply[Name] extends string ? Span : number } & {
  workers: number;
  compiling: number;
};

/** Types of used fields in the .proto file: wire type, default, and reader. */
const scalars: Readonly<
  Record<string, { readonly wire: number; readonly initial: Span | number; read(reader: Reader): Span | number }>
> = {
  uint32: { wire: 0, initial: 0, read: (reader) => reader.uint32() },
  double: { wire: 1, initial: 0, read: (reader) => reader.double() },
  string: { wire: 2, initial: [0, 0], read: span },
};
const { fields } = messageType('StatusReply');
const usedFields = used.map((name) => ({ name, id: fields[name]!.id, ...scalars[fields[name]!.type]! }));
const initial = {
  ...Object.fromEntries(usedFields.map(({ name, initial }) => [name, initial])),
  ...{ workers: 0, compiling: 0 },
} as Draft;

/** Tags of fields, number times 8 plus wire type. */
const byTag = new Map(usedFields.map((field) => [field.id * 8 + field.wire, field]));
const workerTag = fields['workers']!.id * 8 + 2;
const workerStateTag = messageType('WorkerStatus').fields['state']!.id * 8 + 2;

/**
 * Reads the fields of a `StatusReply` that plans use, and checks and bounds each.
 *
 * A job chooses its coordinator's image, so the reply may be anything. Workers are counted, not built: a list of 256 KiB
 * would be 130,000 objects and half a second of work.
 * @throws Error when the bytes are not a status that a coordinator sends.
 */
export function readStatusReply(bytes: Uint8Array): CoordinatorStatus {
  const draft = { ...initial };
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = byTag.get(tag);
    if (field) Object.assign(draft, { [field.name]: field.read(reader) });
    else if (tag === workerTag) countWorker(draft, reader);
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
    if (tag === workerStateTag) compiling = isCompiling(reader, span(reader));
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
