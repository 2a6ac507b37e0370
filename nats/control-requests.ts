import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { z } from 'zod';
import { ClusterError } from '../proto/errors.js';
import { checkPoints, type ControlSource } from '../coordinator/control/control-service.js';
import type { RunControl } from '../coordinator/control/control.js';
import { type Admitted, Admission } from './admission.js';
import { controlSubject } from './names.js';
import {
  type ControlReplyMessage,
  controlRequests,
  type ControlVerb,
  controlVerbs,
  maxRequestBytes,
  maxText,
  parseBytes,
} from './payloads.js';
import type { Seal } from './seal.js';

/** Maximum number of concurrent requests. A pause and a checkpoint may wait for a step boundary. */
const mostAtATime = 32;

/** Requests read per second; above that, none is read for `pauseMs`. */
const mostPerSecond = 200;
const pauseMs = 1_000;
/** Subjects that replies may go to: inboxes, and their names in imports from other accounts. */
const inboxes = /^(_INBOX|_R_)\./;

/** Coordinator as seen by control requests. */
export interface Served extends Pick<ControlSource, 'status' | 'history'> {
  readonly control: () => Promise<RunControl>;
  readonly owner: () => { readonly owner: string; readonly runId: string };
}

export interface ControlOptions {
  readonly job: string;
  /** Checks requests and signs replies; undefined: the run has no token, and anyone who may publish controls it. */
  readonly seal: Seal | undefined;
  readonly source: Served;
  /** True while this coordinator owns the job; otherwise another one answers. */
  readonly isOurs: () => boolean;
  readonly onNote: (message: string) => void;
}

/** Answers requests that observe or control the run, until the connection closes. */
export function serveControl(connection: NatsConnection, options: ControlOptions): void {
  new ControlServer(connection, options).subscribe();
}

class ControlServer {
  readonly #admission: Admission;
  #busy = 0;
  #second = 0;
  #inSecond = 0;
  #noted = false;

  constructor(
    private readonly connection: NatsConnection,
    private readonly options: ControlOptions,
  ) {
    const { job, seal, source } = options;
    this.#admission = new Admission(job, seal, Date.now(), source.owner().owner);
  }

  subscribe(): void {
    if (this.connection.isClosed()) return;
    const subscription = this.connection.subscribe(controlSubject(this.options.job, '*'), {
      callback: (error, message) => {
        if (error || subscription.isClosed()) return;
        if (this.#isFlood()) this.#pause(subscription);
        else void this.#handle(message);
      },
    });
  }

  #isFlood(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) [this.#second, this.#inSecond] = [second, 0];
    return ++this.#inSecond > mostPerSecond;
  }

  /** Unsubscribes for a while. The server drops messages without subscribers, so a flood then costs the run nothing. */
  #pause(subscription: Subscription): void {
    subscription.unsubscribe();
    setTimeout(() => this.subscribe(), pauseMs).unref();
    if (this.#noted) return;
    this.#noted = true;
    const found = `more than ${mostPerSecond} requests per second on ${subscription.getSubject()}`;
    this.options.onNote(`NATS: ${found}; requests are ignored until the rate drops; restrict who may publish there`);
  }

  async #handle(message: Msg): Promise<void> {
    const { seal, isOurs, source, job } = this.options;
    if (!isOurs() || (message.reply !== undefined && !inboxes.test(message.reply))) return;
    const verb = message.subject.split('.').at(-1)!;
    const value = message.data.length === 0 ? {} : parseBytes(message.data, maxRequestBytes);
    const admitted = this.#admission.admit(verb, value, Date.now());
    const reply = await this.#answer(verb, admitted, source);
    const { nonce } = admitted;
    respond(message, seal && nonce !== undefined ? seal.add(['reply', job, verb, nonce], reply) : reply);
  }

  async #answer(verb: string, admitted: Admitted, source: Served): Promise<ControlReplyMessage> {
    if ('problem' in admitted) return refusal(admitted.code, `${verbName(verb)}: ${admitted.problem}`);
    if (this.#busy >= mostAtATime) {
      return refusal('BUSY', `expected at most ${mostAtATime} requests at a time, got more; retry`);
    }
    this.#busy++;
    return answer(verb, admitted.request, source).finally(() => this.#busy--);
  }
}

/** Carries out a request; never rejects. */
async function answer(verb: string, request: object, source: Served): Promise<ControlReplyMessage> {
  try {
    const reply = await carryOut(verb, request, source);
    return { v: 1, ok: true, reply: { ...reply } };
  } catch (error) {
    return refusal(error instanceof ClusterError ? error.code : 'FAILED', (error as Error).message);
  }
}

async function carryOut(verb: string, request: object, source: Served): Promise<object> {
  const { status, history, control, owner } = source;
  const name = controlVerbs.find((known) => known === verb);
  if (name === undefined) throw bad(`control: expected one of ${controlVerbs.join(', ')}, got ${show(verb)}`);
  switch (name) {
    case 'owner':
      parse(name, request);
      return owner();
    case 'status':
      parse(name, request);
      return status();
    case 'history':
      return history(checkPoints(parse(name, request)));
    case 'scale': {
      const { workers } = parse(name, request);
      return (await control()).scale(workers);
    }
    default:
      parse(name, request);
      return (await control())[name]();
  }
}

function parse<Verb extends ControlVerb>(verb: Verb, request: object): z.infer<(typeof controlRequests)[Verb]> {
  const parsed = controlRequests[verb].safeParse(request);
  if (parsed.success) return parsed.data as z.infer<(typeof controlRequests)[Verb]>;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  throw bad(`${verb}: ${problems.join('; ')}`);
}

/** Replies, unless the connection has closed. */
function respond(message: Msg, reply: object): void {
  try {
    message.respond(JSON.stringify(reply));
  } catch {
    // Nothing to do: the requester times out.
  }
}

function refusal(code: string, message: string): ControlReplyMessage {
  return { v: 1, ok: false, code, message: message.slice(0, maxText) };
}

function bad(message: string): ClusterError {
  return new ClusterError('BAD_MESSAGE', message);
}

function verbName(verb: string): string {
  return verb.slice(0, 40);
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
