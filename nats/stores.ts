import {
  DiscardPolicy,
  type JetStreamClient,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { Objm, type ObjectStore } from '@nats-io/obj';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { allEvents, eventStream, jobBucket, runBucket } from './names.js';

/** Time limit for replies of the server. */
export const answerMs = 3_000;

const dayMs = 86_400_000;

/** Limits of the event stream if it has to be created; an existing one is used unchanged. */
const streamLimits = {
  maxAgeMs: 30 * dayMs,
  maxBytes: 256 * 1024 ** 2,
  duplicateWindowMs: 3_600_000,
} as const;

/** JetStream clients that Lockstep uses. */
export interface Stores {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly jobs: KV;
  readonly runs: ObjectStore;
}

/** Opens stream and buckets; creates missing ones. @throws Error when JetStream is disabled or doesn't respond. */
export async function openStores(connection: NatsConnection): Promise<Stores> {
  const js = jetstream(connection, { timeout: answerMs });
  const jsm = await js.jetstreamManager();
  await ensureStream(jsm);
  const jobs = await new Kvm(js).create(jobBucket, {
    history: 1,
    storage: StorageType.File,
    description: 'Lockstep: jobs, their owners and their progress',
  });
  const runs = await new Objm(js).create(runBucket, {
    storage: StorageType.File,
    description: 'Lockstep: checkpoints, records, models and reports',
  });
  return { js, jsm, jobs, runs };
}

async function ensureStream(jsm: JetStreamManager): Promise<void> {
  const missing = await jsm.streams.info(eventStream).then(
    () => false,
    (error: unknown) => {
      if (isApiError(error, JetStreamApiCodes.StreamNotFound)) return true;
      throw error;
    },
  );
  if (!missing) return;
  await jsm.streams.add({
    name: eventStream,
    description: 'Lockstep: events of runs',
    subjects: [allEvents],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(streamLimits.maxAgeMs),
    max_bytes: streamLimits.maxBytes,
    duplicate_window: nanos(streamLimits.duplicateWindowMs),
  });
}

function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}

/** True if a compare-and-swap failed because of another change. */
export function isConflict(error: unknown): boolean {
  const { StreamWrongLastSequence, StreamWrongLastSequenceUnknown } = JetStreamApiCodes;
  return isApiError(error, StreamWrongLastSequence) || isApiError(error, StreamWrongLastSequenceUnknown);
}

export function unanswered(operation: string, limitMs: number): Error {
  return new Error(`${operation}: expected a reply within ${limitMs} ms`);
}
