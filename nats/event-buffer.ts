import type { Occurrence } from './messages.js';

/** An event to be published. */
export type QueuedEvent = Occurrence & {
  /** Time of the event by this machine's clock, ISO 8601. */
  readonly at: string;
};

/**
 * Queue of at most `limit` events. When it is full, the oldest is dropped, those without a key first. A `gap` event
 * before the remaining ones reports how many were dropped.
 */
export class EventBuffer {
  readonly #events: QueuedEvent[] = [];
  #lost = 0;
  #why = '';

  constructor(private readonly limit: number) {}

  /** Number of queued events, including a gap. */
  get length(): number {
    return this.#events.length + (this.#lost > 0 ? 1 : 0);
  }

  add(event: QueuedEvent): void {
    this.#events.push(event);
    if (this.#events.length <= this.limit) return;
    const routine = this.#events.findIndex(({ key }) => key === undefined);
    this.#events.splice(Math.max(0, routine), 1);
    this.lose(`more than ${this.limit} events were queued for NATS`);
  }

  /** Counts an event that can't be published; the gap reports it. */
  lose(why: string): void {
    this.#lost++;
    this.#why = why;
  }

  /** Removes and returns the next event. */
  take(at: string): QueuedEvent | undefined {
    if (this.#lost === 0) return this.#events.shift();
    const data = { lost: this.#lost, reason: this.#why };
    this.#lost = 0;
    return { type: 'gap', data, at };
  }

  /** Drops all events. @returns their number. */
  clear(): number {
    const left = this.#events.splice(0).length + this.#lost;
    this.#lost = 0;
    return left;
  }
}
