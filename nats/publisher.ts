import { setTimeout as sleep } from 'node:timers/promises';
import type { EventMessage, Occurrence } from './messages.js';
import { EventBuffer, type Waiting } from './event-buffer.js';
import { eventSubject } from './names.js';
import type { About } from './payloads.js';
import { answerMs, type Stores } from './stores.js';

export interface PublisherOptions {
  readonly stores: Stores;
  /** Whether publishing makes sense and is allowed now: NATS is there and the job is ours. */
  readonly isOpen: () => boolean;
  /** Largest message that the server takes; bytes. */
  readonly maxBytes: () => number;
  /** Keys of events of this run that are in the stream already. */
  readonly published: ReadonlySet<string>;
  readonly about: () => About;
  readonly onNote: (message: string) => void;
}

/** Events that may wait for NATS. */
export const bufferLimit = 10_000;
const lookMs = 100;
const longestPauseMs = 2_000;

/**
 * Publishes events into the stream: in order, one at a time, each again and again until the server has it. An event
 * that the server had already does not count twice: its id says which it is.
 */
export class Publisher {
  readonly #buffer = new EventBuffer(bufferLimit);
  #inFlight = false;
  #sequence = 1;
  #stopped = false;
  #wake: (() => void) | undefined;
  #complaint: string | undefined;

  /** Events that are not in the stream yet. */
  get left(): number {
    return this.#buffer.length + (this.#inFlight ? 1 : 0);
  }

  add(occurrence: Occurrence): void {
    if (this.#stopped) return;
    this.#buffer.add({ ...occurrence, at: new Date().toISOString() });
    this.#wake?.();
  }

  /** Publishes until `stop`. */
  async run(options: PublisherOptions): Promise<void> {
    while (!this.#stopped) {
      const event = this.#buffer.take(new Date().toISOString());
      if (event) await this.#deliver(event, options);
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Waits until all is published, but no longer than `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (this.left > 0 && !this.#stopped && performance.now() < deadline) await sleep(20);
  }

  /** @returns how many events are given up. */
  stop(): number {
    this.#stopped = true;
    this.#wake?.();
    return this.#buffer.clear() + (this.#inFlight ? 1 : 0);
  }

  async #deliver(event: Waiting, options: PublisherOptions): Promise<void> {
    if (event.key !== undefined && options.published.has(event.key)) return;
    this.#inFlight = true;
    for (let attempt = 1; !this.#stopped; attempt++) {
      while (!options.isOpen() && !this.#stopped) await sleep(lookMs, undefined, { ref: false });
      if (this.#stopped) break;
      try {
        await this.#publish(event, options, attempt);
        this.#complaint = undefined;
        this.#inFlight = false;
        return;
      } catch (error) {
        this.#complain((error as Error).message, options);
        await sleep(Math.min(longestPauseMs, 50 * 2 ** Math.min(attempt, 10)), undefined, { ref: false });
      }
    }
  }

  async #publish(event: Waiting, options: PublisherOptions, attempt: number): Promise<void> {
    const { about, maxBytes, stores } = options;
    const { at, type, data, key } = event;
    const head = about();
    const message: EventMessage = { ...head, sequence: this.#sequence, at, type, data };
    const bytes = Buffer.from(JSON.stringify(message));
    if (bytes.length > maxBytes()) return this.#buffer.lose(`an event (${type}) of ${bytes.length} bytes is too large`);
    const msgID = key === undefined ? `${head.owner}.${this.#sequence}` : `${head.runId}.${key}`;
    const ack = await stores.js.publish(eventSubject(head.job, type), bytes, { msgID, timeout: answerMs });
    // A duplicate at the first attempt was published by a start before this one: this number is still free.
    if (!ack.duplicate || attempt > 1) this.#sequence++;
  }

  #complain(found: string, { isOpen, onNote }: PublisherOptions): void {
    if (!isOpen() || found === this.#complaint) return;
    this.#complaint = found;
    onNote(`NATS: expected the stream to take an event, got: ${found}; trying again`);
  }
}
