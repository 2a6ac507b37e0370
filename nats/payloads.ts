import { z } from 'zod';
import { mostWorkers } from '../coordinator/control/control-service.js';
import { mostPoints } from '../coordinator/state/progress.js';
import { jobNamePattern } from './names.js';

const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Requests, entries and indexes that Lockstep exchanges over NATS, version 1, all as JSON: see docs/guides/nats.md.
 * Within a version fields may be added, but not removed, and keep their meaning.
 *
 * Any account of the server may have written what is read, so every text, list and number is bounded.
 */

/** Longest accepted request, in bytes. */
export const maxRequestBytes = 4 * 1024;
/** Longest accepted entry of the registry, in bytes. */
export const maxEntryBytes = 64 * 1024;
/** Size of an object chunk, in bytes. When a file has grown, only new chunks are sent. */
export const objectChunkBytes = 1024 * 1024;
/** Longest text in a message or an entry, in characters. */
export const maxText = 4_000;

const v = z.literal(1);
const count = z.int().min(0);
const text = z.string().max(2 * maxText);
/** Text for a terminal: control characters except line breaks and tabs are replaced. */
const printable = text.transform(replaceControls);
/** Id of a run; part of the names of its objects. */
export const runIdSchema = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();

const runState = z.enum([
  'starting',
  'waiting',
  'training',
  'paused',
  'evaluating',
  'reporting',
  'finished',
  'stopped',
  'failed',
]);

const about = {
  v,
  job: z.string().regex(jobNamePattern),
  /** Id of the run, the same in all starts of its coordinator. */
  runId: runIdSchema,
  /** One start of a coordinator: host name and random suffix. */
  owner: printable,
  /** Number of starts of the run; 0 until the job is prepared. */
  term: count,
};

/** Fields that all messages and entries of a run share. */
export type About = Pick<RegistryEntry, keyof typeof about>;

/** Entry of the registry: a job, its owner and its progress. */
export const registryEntrySchema = z.object({
  ...about,
  state: runState,
  reason: printable,
  step: count,
  totalSteps: count,
  epoch: count,
  epochs: count,
  /** Training loss of the last step; null before the first one. */
  loss: z.number().nullable(),
  /** Share of test images classified correctly, 0 to 1; null before the first evaluation. */
  accuracy: z.number().nullable(),
  /** Digest of the last complete epoch. */
  digest: sha256.nullable(),
  /** `HOST:PORT` that workers join. */
  address: printable.nullable(),
  updatedAt: time,
});
export type RegistryEntry = z.infer<typeof registryEntrySchema>;

export const controlVerbs = ['owner', 'status', 'history', 'pause', 'resume', 'checkpoint', 'stop', 'scale'] as const;
export type ControlVerb = (typeof controlVerbs)[number];

/** Fields of control requests, besides `proofFields`. An empty body is an empty object. */
export const controlRequests = {
  /** Asks which coordinator owns the job. */
  owner: z.strictObject({}),
  status: z.strictObject({}),
  /** `points`: maximum number of points of the loss curve; 0 or absent: all. */
  history: z.strictObject({ points: z.int().min(0).max(mostPoints).default(0) }),
  pause: z.strictObject({}),
  resume: z.strictObject({}),
  checkpoint: z.strictObject({}),
  stop: z.strictObject({}),
  scale: z.strictObject({ workers: z.int().min(0).max(mostWorkers) }),
} as const;

/** Fields that sign a request, for a coordinator with a token. */
export const proofSchema = z.object({
  /** Milliseconds since 1970, on the requester's clock. */
  at: z.int().min(0),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{16,64}$/),
  /** The coordinator's `owner`. */
  owner: text.optional(),
  mac: sha256,
});
export const proofFields = ['at', 'nonce', 'owner', 'mac'] as const;

/** `reply` is a message of the gRPC control service, or the owner. */
export const controlReplySchema = z.discriminatedUnion('ok', [
  z.object({ v, ok: z.literal(true), reply: z.record(text, z.unknown()) }),
  z.object({ v, ok: z.literal(false), code: z.string().max(64), message: printable }),
]);
export type ControlReplyMessage = z.infer<typeof controlReplySchema>;

/** Names of files of a run directory that are kept in the object store. */
export const storedName =
  /^(job\.json|run\.json|steps\.csv|(digests|evaluations)\.jsonl|predictions\.csv|checkpoints\/step-\d{8,15}\.safetensors|(model|report)(\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,3})$/;

const storedFile = z
  .object({
    name: z.string().max(400).regex(storedName),
    size: count,
    /** SHA-256 of each object chunk. All have `objectChunkBytes`, except the last. */
    parts: z.array(sha256),
  })
  .refine(({ size, parts }) => parts.length === Math.ceil(size / objectChunkBytes), 'expected one digest per MiB');
export type StoredFile = z.infer<typeof storedFile>;

/** Index of a run's files in the object store. Written last, so everything that it names is complete. */
export const runIndexSchema = z.object({
  ...about,
  step: count,
  partBytes: z.literal(objectChunkBytes),
  files: z
    .array(storedFile)
    .max(10_000)
    .refine((files) => new Set(files.map(({ name }) => name)).size === files.length, 'expected each name once'),
  updatedAt: time,
});
export type RunIndex = z.infer<typeof runIndexSchema>;

/** Replaces control characters, which could be escape sequences for a terminal. */
export function replaceControls(value: string): string {
  return value.replace(controls, '\uFFFD');
}

/** @returns undefined for invalid or missing JSON; a schema then reports it. */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** As `parseJson`, for untrusted bytes; also undefined if there are more than `maxBytes`. */
export function parseBytes(bytes: Uint8Array, maxBytes: number): unknown {
  return bytes.length > maxBytes ? undefined : parseJson(new TextDecoder().decode(bytes));
}
