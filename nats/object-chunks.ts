import { type NatsConnection } from '@nats-io/transport-node';
import { within } from '../util/deadline.js';
import { allInfos, indexObject, infoSubject, objectOf, chunkObject, runStream } from './names.js';
import { objectChunkBytes, type RunIndex, runIndexSchema, parseBytes } from './payloads.js';
import { messageBytes, objectMs, readObject } from './read-object.js';
import type { Seal } from './seal.js';
import { answerMs, type Stores, unanswered } from './stores.js';

const batch = 1_000;
const unsigned = "it isn't signed with the token of this coordinator; pass the --token-file that the run used";

/** Largest accepted index, in bytes: about 240,000 chunks, or 240 GB. */
const maxIndexBytes = 16 * 1024 * 1024;
/** Largest number of one job's objects that are listed. */
const maxListed = 50_000;

export async function putObject({ runs }: Stores, name: string, bytes: Uint8Array): Promise<void> {
  await runs.putBlob({ name, options: { max_chunk_size: messageBytes } }, bytes, { timeout: answerMs });
}

/** Removes an object completely. Deleting it alone would leave a marker forever. */
export async function removeObject({ runs, jsm }: Stores, name: string): Promise<void> {
  // An invalid description, which anyone may have written, has no content to delete.
  await runs.delete(name).catch(() => undefined);
  await jsm.streams.purge(runStream, { filter: infoSubject(name) });
}

/**
 * Index of a run in the store; undefined if there is none.
 * @throws Error when it can't be read, belongs to another run, or, with a seal, doesn't have the right MAC.
 */
export async function readIndex(
  stores: Stores,
  { job, runId }: { readonly job: string; readonly runId: string },
  seal: Seal | undefined,
): Promise<RunIndex | undefined> {
  const read = () => readObject(stores, indexObject(job, runId), maxIndexBytes);
  // If the object is replaced while it is read, its content disappears; the second attempt reads the new one.
  const bytes = await read().catch(read);
  if (bytes === undefined) return undefined;
  const value = parseBytes(bytes, maxIndexBytes);
  if (seal && !seal.fits(['index', job, runId], value)) throw new Error(unsigned);
  const index = runIndexSchema.parse(value);
  if (index.job === job && index.runId === runId) return index;
  throw new Error(`it belongs to run ${index.runId} of job ${index.job}`);
}

export async function putIndex(stores: Stores, index: RunIndex, seal: Seal | undefined): Promise<void> {
  const { job, runId } = index;
  const bytes = Buffer.from(JSON.stringify(seal ? seal.add(['index', job, runId], index) : index));
  if (bytes.length > maxIndexBytes) throw new Error(`an index of ${bytes.length} bytes is too large`);
  await putObject(stores, indexObject(job, runId), bytes);
}

export async function readChunk(stores: Stores, job: string, runId: string, sha256: string): Promise<Uint8Array> {
  const bytes = await readObject(stores, chunkObject(job, runId, sha256), objectChunkBytes);
  if (bytes === undefined) throw new Error(`expected object chunk ${sha256.slice(0, 12)}, got none`);
  return bytes;
}

/**
 * Names of a job's objects, at most `maxListed`. They come from the subjects of the descriptions, because anyone may
 * have written the content.
 */
export async function objectsOf({ js }: Stores, job: string): Promise<string[]> {
  const consumer = await js.consumers.get(runStream, { filter_subjects: allInfos, headers_only: true });
  const names: string[] = [];
  const list = async () => {
    for (let left = (await consumer.info()).num_pending; left > 0 && names.length < maxListed;) {
      const before = left;
      for await (const { subject } of await consumer.fetch({
        max_messages: Math.min(left, batch),
        expires: answerMs,
      })) {
        const name = objectOf(subject);
        if (name.startsWith(`${job}/`)) names.push(name);
        left--;
      }
      if (left === before) throw new Error(`expected ${left} more objects, got none in ${answerMs} ms`);
    }
  };
  await within(list(), objectMs, () => unanswered('list of objects', objectMs)).finally(() =>
    consumer.delete().catch(() => undefined),
  );
  return names;
}

/** Largest message that the server accepts, in bytes. */
export function largestMessage(connection: NatsConnection): number {
  return connection.info?.max_payload ?? 1024 * 1024;
}
