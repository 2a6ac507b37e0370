import { z } from 'zod';
import { mostWorkers } from '../coordinator/control/control-service.js';
import { mostPoints } from '../coordinator/state/progress.js';
import { jobNamePattern } from './names.js';

const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Everything that Lockstep sends and receives over NATS, version 1; docs/guides/nats.md describes it. All of it is JSON.
 * Fields may be added within a version; they are not removed, and their meaning does not change.
 *
 * Any account of the server may have written what is read, so every text, list and number is bounded.
 */

/** Longest request that is read; bytes. */
export const maxRequestBytes = 4 * 1024;
/** Longest entry of the registry that is read; bytes. */
export const maxEntryBytes = 64 * 1024;
/** Size of an object chunk. Of a growing file, only new chunks are sent. */
export const partBytes = 1024 * 1024;
/** Longest text in a message or an entry; characters. */
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
  /** The run, over all starts of its coordinator. */
  runId: runIdSchema,
  /** One start of a coordinator: host and a random part. */
  owner: printable,
  /** Counts the starts on the run; 0 until the job is prepared. */
  term: count,
};

/** Fields that all messages and entries of a run share. */
export type About = Pick<RegistryEntry, keyof typeof about>;

/** An entry of the registry: a job, who owns it, and how far it is. */
export const registryEntrySchema = z.object({
  ...about,
  state: runState,
  reason: printable,
  step: count,
  totalSteps: count,
  epoch: count,
  epochs: count,
  /** Of the last step; null before the first one. */
  loss: z.number().nullable(),
  /** On the test set; null before the first evaluation. */
  accuracy: z.number().nullable(),
  /** Of the last complete epoch. */
  digest: sha256.nullable(),
  /** Where workers join. */
  address: printable.nullable(),
  updatedAt: time,
});
export type RegistryEntry = z.infer<typeof registryEntrySchema>;

export const controlVerbs = ['owner', 'status', 'history', 'pause', 'resume', 'checkpoint', 'stop', 'scale'] as const;
export type ControlVerb = (typeof controlVerbs)[number];

/** Bodies of control requests, besides `proofFields`; an empty body is an empty object. */
export const controlRequests = {
  /** Asks which coordinator owns the job; answered immediately. */
  owner: z.strictObject({}),
  status: z.strictObject({}),
  /** `points`: the most points of the loss curve; 0 or none: as many as there are. */
  history: z.strictObject({ points: z.int().min(0).max(mostPoints).default(0) }),
  pause: z.strictObject({}),
  resume: z.strictObject({}),
  checkpoint: z.strictObject({}),
  stop: z.strictObject({}),
  scale: z.strictObject({ workers: z.int().min(0).max(mostWorkers) }),
} as const;

/** Fields of a request to a coordinator with a token: time, random text, its addressee, and the MAC over everything. */
export const proofSchema = z.object({
  /** Milliseconds since 1970, on the requester's clock. */
  at: z.int().min(0),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{16,64}$/),
  /** The coordinator's `owner`. */
  owner: text.optional(),
  mac: sha256,
});
export const proofFields = ['at', 'nonce', 'owner', 'mac'] as const;

/** `reply` is that of the gRPC control service: status, history, or step, state and message. */
export const controlReplySchema = z.discriminatedUnion('ok', [
  z.object({ v, ok: z.literal(true), reply: z.record(text, z.unknown()) }),
  z.object({ v, ok: z.literal(false), code: z.string().max(64), message: printable }),
]);
export type ControlReplyMessage = z.infer<typeof controlReplySchema>;

/** Files of a run directory that are kept in the object store. */
export const storedName =
  /^(job\.json|run\.json|steps\.csv|(digests|evaluations)\.jsonl|predictions\.csv|checkpoints\/step-\d{8,15}\.safetensors|(model|report)(\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,3})$/;

const storedFile = z
  .object({
    name: z.string().max(400).regex(storedName),
    size: count,
    /** Parts of `partBytes`, the last one smaller, by the SHA-256 of their content. */
    parts: z.array(sha256),
  })
  .refine(({ size, parts }) => parts.length === Math.ceil(size / partBytes), 'expected one part per MiB');
export type StoredFile = z.infer<typeof storedFile>;

/** What the object store has of a run. Written last, so what it names is whole. */
export const runIndexSchema = z.object({
  ...about,
  step: count,
  partBytes: z.literal(partBytes),
  files: z
    .array(storedFile)
    .max(10_000)
    .refine((files) => new Set(files.map(({ name }) => name)).size === files.length, 'expected each name once'),
  updatedAt: time,
});
export type RunIndex = z.infer<typeof runIndexSchema>;

/** Escape sequences would reach the reader's terminal. */
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
