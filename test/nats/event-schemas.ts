import { z } from 'zod';
import type { EventMessage } from '../../nats/messages.js';
import { registryEntrySchema } from '../../nats/payloads.js';

/**
 * Published contract of the event stream, version 1: within a version fields may be added, but not removed, and keep
 * their meaning.
 */

const count = z.int().min(0);
const text = z.string().max(8_000);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const runState = z.enum(['waiting', 'training', 'paused', 'evaluating', 'reporting']);
const workerChange = z.object({ workerId: text, reason: text });
const ending = z.object({ reason: text, step: count, digest: text.nullable() });

/** The data of each type of event. */
export const eventData = {
  listening: z.object({ address: text }),
  state: z.object({ state: runState, reason: text }),
  joined: workerChange,
  ready: workerChange,
  lost: workerChange,
  left: workerChange,
  reassigned: z.object({ generation: count, shards: z.record(text, z.array(count)), reason: text }),
  waiting: z.object({ step: count, seconds: z.number(), reason: text }),
  speculation: z.object({ step: count, shards: z.array(count), from: text, to: text }),
  fault: z.object({ kind: text, workers: z.array(text), shards: z.array(count), step: count }),
  skipped: z.object({ step: count, reason: text }),
  epoch: z.object({ epoch: count, step: count, digest: sha256 }),
  evaluation: z.object({
    step: count,
    epoch: count,
    loss: z.number().nullable(),
    correct: count,
    total: count,
    /** `confusion[actual][predicted]`, counts of test images. */
    confusion: z.array(z.array(count)),
    durationMs: z.number(),
  }),
  checkpoint: z.object({ step: count, durationMs: z.number(), blockedMs: z.number() }),
  note: z.object({ message: text }),
  finished: ending,
  stopped: ending,
  failed: ending,
  gap: z.object({ lost: z.int().min(1), reason: text }),
} as const;

/** An event of the stream, as a subscriber reads it. */
export type PublishedEvent = Omit<EventMessage, 'data'> & { data: Record<string, unknown> };

/** @throws when the event doesn't match the contract. */
export function parseEvent(message: unknown): PublishedEvent {
  const about = registryEntrySchema.pick({ v: true, job: true, runId: true, owner: true, term: true }).parse(message);
  const head = z.object({ sequence: z.int().min(1), at: z.iso.datetime(), type: z.string() }).parse(message);
  const type = head.type as EventMessage['type'];
  const { data } = z.object({ data: eventData[type] }).parse(message);
  return { ...about, ...head, type, data };
}
