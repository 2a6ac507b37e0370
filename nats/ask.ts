import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { randomBytes } from 'node:crypto';
import { controlSubject } from './names.js';
import { type ControlReplyMessage, controlReplySchema, type ControlVerb, parseBytes } from './payloads.js';
import type { Seal } from './seal.js';

/** Largest accepted reply, in bytes; a history of 500 points is smaller. */
const maxAnswerBytes = 1024 * 1024;
/** Time to wait for a signed reply after the server reports no listener, as that report may be forged. */
const forgedMs = 300;

export interface Question {
  readonly job: string;
  readonly verb: ControlVerb;
  readonly request: object;
  /** Signs the request; then only replies signed for it are accepted. */
  readonly seal: Seal | undefined;
  readonly timeoutMs: number;
}

/** Reason why a request got no valid reply. */
export type NoAnswer = 'no listener' | 'timeout' | 'an unsigned reply' | 'an invalid reply';

/**
 * Sends a request to the coordinator of a job.
 *
 * Anyone who can see the request can reply to it, and faster. With a seal, replies are therefore read until one is
 * signed. Without a seal, the first one counts.
 */
export async function ask(connection: NatsConnection, question: Question): Promise<ControlReplyMessage | NoAnswer> {
  const { job, verb, seal, timeoutMs } = question;
  const nonce = randomBytes(16).toString('hex');
  const proven = { ...question.request, at: Date.now(), nonce };
  const body = seal ? seal.add(['request', job, verb], proven) : question.request;
  const inbox = createInbox();
  return new Promise((resolve, reject) => {
    let reason: NoAnswer = 'timeout';
    const settle = (answer: ControlReplyMessage | NoAnswer) => {
      clearTimeout(timer);
      subscription.unsubscribe();
      resolve(answer);
    };
    let timer = setTimeout(() => settle(reason), timeoutMs);
    const giveUpSoon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => settle(reason), forgedMs);
    };
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error) return settle('timeout');
        const answer = readAnswer(message, { ...question, nonce });
        if (typeof answer !== 'string' || !seal) return settle(answer);
        reason = answer;
        if (answer === 'no listener') giveUpSoon();
      },
    });
    try {
      connection.publish(controlSubject(job, verb), JSON.stringify(body), { reply: inbox });
    } catch (cause) {
      clearTimeout(timer);
      reject(new Error(`${verb}: expected an open connection to NATS`, { cause }));
    }
  });
}

function readAnswer(
  message: Msg,
  { job, verb, seal, nonce }: Question & { readonly nonce: string },
): ControlReplyMessage | NoAnswer {
  // The server itself reports that the subject has no subscriber.
  if (message.data.length === 0 && message.headers?.code === 503) return 'no listener';
  const value = parseBytes(message.data, maxAnswerBytes);
  if (seal && !seal.fits(['reply', job, verb, nonce], value)) return 'an unsigned reply';
  const parsed = controlReplySchema.safeParse(value);
  return parsed.success ? parsed.data : 'an invalid reply';
}
