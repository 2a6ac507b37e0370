import type { MsgRequest } from '@nats-io/jetstream';
import { z } from 'zod';
import { within } from '../util/deadline.js';
import { contentSubject, infoSubject, runBucket, runStream } from './names.js';
import { parseBytes } from './payloads.js';
import { type Stores, unanswered } from './stores.js';

/** Largest accepted object description, in bytes; the client's are below 1 KiB. */
const maxInfoBytes = 16 * 1024;
/** Bytes per message of an object; below the server's usual limit of 1 MiB. */
export const messageBytes = 256 * 1024;
/** Other clients usually write messages of 128 KiB. */
const smallestChunk = 64 * 1024;
/** Time limit for reading an object. */
export const objectMs = 20_000;

/** Fields that Lockstep uses of an object's description in NATS. Links aren't followed. */
const infoSchema = z.object({
  nuid: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
  size: z.int().min(0),
  chunks: z.int().min(0),
  deleted: z.boolean().default(false),
});

/**
 * Content of an object; undefined if it doesn't exist.
 *
 * The client's own `get` is not safe here: it follows links, waits for missing chunks, and reads without a limit. An
 * attacker who may write to the bucket could create objects that never end.
 * @throws Error when it is larger than `maxBytes`, or doesn't match its description.
 */
export async function readObject(stores: Stores, name: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const stored = await stores.jsm.streams.getMessage(runStream, { last_by_subj: infoSubject(name) });
  if (!stored) return undefined;
  const info = infoSchema.safeParse(parseBytes(stored.data, maxInfoBytes));
  if (!info.success) throw new Error(`expected the description of an object in ${runBucket}, got something else`);
  const { nuid, size, chunks, deleted } = info.data;
  if (deleted) return undefined;
  const most = Math.ceil(maxBytes / smallestChunk);
  if (size > maxBytes || chunks > most) {
    throw new Error(`expected at most ${maxBytes} bytes in ${most} chunks, got ${size} bytes in ${chunks}`);
  }
  return within(readChunks(stores, nuid, { size, chunks }), objectMs, () => unanswered('object', objectMs));
}

async function readChunks(
  { jsm }: Stores,
  nuid: string,
  { size, chunks }: { readonly size: number; readonly chunks: number },
): Promise<Uint8Array> {
  const content = new Uint8Array(size);
  let at = 0;
  for (let [left, seq] = [chunks, 1]; left > 0; left--) {
    // The client's types don't know this kind of request, which servers have had since 2.9.
    const query = { seq, next_by_subj: contentSubject(nuid) } as unknown as MsgRequest;
    const chunk = await jsm.streams.getMessage(runStream, query);
    if (!chunk) throw new Error(`expected ${left} more chunks, got none`);
    if (at + chunk.data.length > size) throw new Error(`expected ${size} bytes, got more`);
    content.set(chunk.data, at);
    at += chunk.data.length;
    seq = chunk.seq + 1;
  }
  if (at !== size) throw new Error(`expected ${size} bytes, got ${at}`);
  return content;
}
