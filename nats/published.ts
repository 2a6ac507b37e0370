import type { Stores } from './stores.js';
import { determinedTypes } from './messages.js';
import { eventStream, eventSubject } from './names.js';
import { answerMs } from './stores.js';

const msgIdHeader = 'Nats-Msg-Id';
const batch = 1_000;
const mostEvents = 100_000;

/**
 * Keys of a run's events in the stream, of the types that the run's state determines. The server remembers message ids
 * for only an hour, and a run may be resumed much later.
 */
export async function publishedKeys(stores: Stores, job: string, runId: string): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const type of determinedTypes) {
    for (const id of await idsOn(stores, eventSubject(job, type))) {
      if (id.startsWith(`${runId}.`)) keys.add(id.slice(runId.length + 1));
    }
  }
  return keys;
}

async function idsOn({ js }: Stores, subject: string): Promise<string[]> {
  const consumer = await js.consumers.get(eventStream, { filter_subjects: subject, headers_only: true });
  const ids: string[] = [];
  // Anyone may fill the stream; a run has far fewer events. Above the limit, some may be published twice.
  for (let left = Math.min((await consumer.info()).num_pending, mostEvents); left > 0;) {
    const messages = await consumer.fetch({ max_messages: Math.min(left, batch), expires: answerMs });
    const before = left;
    for await (const message of messages) {
      ids.push(message.headers?.get(msgIdHeader) ?? '');
      left--;
    }
    if (left === before) throw new Error(`expected ${left} more events on ${subject}, got none in ${answerMs} ms`);
  }
  await consumer.delete();
  return ids;
}
