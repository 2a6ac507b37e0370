import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../util/backoff.js';
import type { EventMessage, Occurrence } from './messages.js';
import { EventBuffer, type QueuedEvent } from './event-buffer.js';
import { eventSubject } from './names.js';
import type { About } from './payloads.js';
import { answerMs, type Stores } from './stores.js';

export interface PublisherOptions {
  readonly stores: Stores;
  /** True while NATS is connected and this coordinator owns the job. */
  readonly isOpen: () => boolean;
  /** Largest message that the server accepts, in bytes. */
  readonly maxBytes: () => number;
  /** Keys of this run's events that are already in the stream. */
  readonly published: ReadonlySet<string>;
  readonly about: () => About;
  readonly onNote: (message: string) => void;
}

/** Maximum number of queued events. */
const bufferLimit = 10_000;
const pollMs = 100;
const backoff: Backoff = { firstMs: 100, maxMs: 2_000 };

/**
 * Publishes events to the stream in order, each until the server confirms it. The server drops duplicates by message
 * id.
 */
export class Publisher {
  readonly #buffer = new EventBuffer(bufferLimit);
  #inFlight = false;
  #sequence = 1;
  #stopped = false;
  #wake: (() => void) | undefined;
  #lastProblem: string | undefined;

  /** Number of events that aren't in the stream yet. */
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

  /** Stops publishing; queued events are dropped. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
    this.#buffer.clear();
  }

  async #deliver(event: QueuedEvent, options: PublisherOptions): Promise<void> {
    if (event.key !== undefined && options.published.has(event.key)) return;
    this.#inFlight = true;
    for (let attempt = 1; !this.#stopped; attempt++) {
      while (!options.isOpen() && !this.#stopped) await sleep(pollMs, undefined, { ref: false });
      if (this.#stopped) break;
      try {
        await this.#publish(event, options, attempt);
        this.#lastProblem = undefined;
        this.#inFlight = false;
        return;
      } catch (error) {
        this.#report((error as Error).message, options);
        await sleep(backoffMs(backoff, attempt, Math.random()), undefined, { ref: false });
      }
    }
  }

  async #publish(event: QueuedEvent, options: PublisherOptions, attempt: number): Promise<void> {
    const { about, maxBytes, stores } = options;
    const { at, type, data, key } = event;
    const head = about();
    const message: EventMessage = { ...head, sequence: this.#sequence, at, type, data };
    const bytes = Buffer.from(JSON.stringify(message));
    if (bytes.length > maxBytes()) return this.#buffer.lose(`an event (${type}) of ${bytes.length} bytes is too large`);
    const msgID = key === undefined ? `${head.owner}.${this.#sequence}` : `${head.runId}.${key}`;
    const ack = await stores.js.publish(eventSubject(head.job, type), bytes, { msgID, timeout: answerMs });
    // A duplicate at the first attempt was published by an earlier start, so this sequence number is still free.
    if (!ack.duplicate || attempt > 1) this.#sequence++;
  }

  #report(found: string, { isOpen, onNote }: PublisherOptions): void {
    if (!isOpen() || found === this.#lastProblem) return;
    this.#lastProblem = found;
    onNote(`NATS: expected the stream to accept an event, got: ${found}; retrying`);
  }
}
