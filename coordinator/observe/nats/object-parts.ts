import { type NatsConnection } from '@nats-io/transport-node';
import { indexObject, partObject, runBucket } from './names.js';
import { type RunIndex, runIndexSchema } from './payloads.js';
import { answerMs, type Stores, within } from './stores.js';

/** Bytes per message of an object; below the server's usual limit of 1 MiB. */
const chunkBytes = 256 * 1024;
/** How long an object, at most a part, may take to arrive. */
const objectMs = 20_000;

export async function putObject({ runs }: Stores, name: string, bytes: Uint8Array): Promise<void> {
  await runs.putBlob({ name, options: { max_chunk_size: chunkBytes } }, bytes, { timeout: answerMs });
}

/** Removes an object with all that the store keeps of it; a mere delete leaves a marker for ever. */
export async function removeObject({ runs, jsm }: Stores, name: string): Promise<void> {
  await runs.delete(name);
  const encoded = Buffer.from(name).toString('base64url');
  const padded = encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=');
  await jsm.streams.purge(`OBJ_${runBucket}`, { filter: `$O.${runBucket}.M.${padded}` });
}

/** What the store has of a run; undefined when that is nothing. @throws when it cannot be read. */
export async function readIndex({ runs }: Stores, job: string, runId: string): Promise<RunIndex | undefined> {
  const read = () => within(runs.getBlob(indexObject(job, runId)), answerMs, 'index');
  // An object that is replaced while it is read never arrives: the client waits for messages that are gone.
  const bytes = await read().catch(read);
  return bytes === null ? undefined : runIndexSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}

export async function readPart({ runs }: Stores, job: string, runId: string, sha256: string): Promise<Uint8Array> {
  const bytes = await within(runs.getBlob(partObject(job, runId, sha256)), objectMs, 'part');
  if (bytes === null) throw new Error(`expected part ${sha256.slice(0, 12)}, got none`);
  return bytes;
}

/** Names of all objects of a job. */
export async function objectsOf({ runs }: Stores, job: string): Promise<string[]> {
  const all = await within(runs.list(), objectMs, 'list of objects');
  return all.map(({ name }) => name).filter((name) => name.startsWith(`${job}/`));
}

/** Largest message that the server takes; bytes. */
export function largestMessage(connection: NatsConnection): number {
  return connection.info?.max_payload ?? 1024 * 1024;
}
