import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { ClusterError } from '../../../proto/errors.js';
import { checkPoints, type ControlSource } from '../../control-service.js';
import type { RunControl } from '../../control.js';
import { controlSubject } from './names.js';
import { type ControlReplyMessage, controlRequests, type ControlVerb, controlVerbs } from './payloads.js';

/** Requests that are worked on at a time; a pause and a checkpoint may wait for the end of a step. */
const mostAtATime = 32;

type Served = Pick<ControlSource, 'status' | 'history'> & { readonly control: () => Promise<RunControl> };

/**
 * Answers requests to look at the run and to steer it.
 * @param isOurs - whether the job is this coordinator's; another one answers if not.
 */
export function serveControl(connection: NatsConnection, job: string, source: Served, isOurs: () => boolean): void {
  let busy = 0;
  connection.subscribe(controlSubject(job, '*'), {
    callback: (error, message) => {
      if (error || !isOurs()) return;
      if (busy >= mostAtATime) {
        respond(message, refusal('BUSY', `expected at most ${mostAtATime} requests at a time, got more; ask again`));
        return;
      }
      busy++;
      void answer(verbOf(message), message.string(), source)
        .then((reply) => respond(message, reply))
        .finally(() => busy--);
    },
  });
}

/** Carries out a request; never rejects. */
export async function answer(verb: string, body: string, source: Served): Promise<ControlReplyMessage> {
  try {
    const reply = await carryOut(verb, body, source);
    return { v: 1, ok: true, reply: { ...reply } };
  } catch (error) {
    return refusal(error instanceof ClusterError ? error.code : 'FAILED', (error as Error).message);
  }
}

async function carryOut(verb: string, body: string, { status, history, control }: Served): Promise<object> {
  const name = controlVerbs.find((known) => known === verb);
  if (name === undefined) throw bad(`control: expected one of ${controlVerbs.join(', ')}, got ${show(verb)}`);
  switch (name) {
    case 'status':
      parse(name, body);
      return status();
    case 'history':
      return history(checkPoints(parse(name, body)));
    case 'scale': {
      const { workers } = parse(name, body);
      return (await control()).scale(workers);
    }
    default:
      parse(name, body);
      return (await control())[name]();
  }
}

function parse<Verb extends ControlVerb>(verb: Verb, body: string): z.infer<(typeof controlRequests)[Verb]> {
  let value: unknown;
  try {
    value = body === '' ? {} : JSON.parse(body);
  } catch {
    throw bad(`${verb}: expected a JSON object, got ${show(body)}`);
  }
  const parsed = controlRequests[verb].safeParse(value);
  if (parsed.success) return parsed.data as z.infer<(typeof controlRequests)[Verb]>;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  throw bad(`${verb}: ${problems.join('; ')}`);
}

function verbOf({ subject }: Msg): string {
  return subject.split('.').at(-1)!;
}

/** The one who asked may be gone. */
function respond(message: Msg, reply: ControlReplyMessage): void {
  try {
    message.respond(JSON.stringify(reply));
  } catch {
    // The connection is closed.
  }
}

function refusal(code: string, message: string): ControlReplyMessage {
  return { v: 1, ok: false, code, message };
}

function bad(message: string): ClusterError {
  return new ClusterError('BAD_MESSAGE', message);
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
