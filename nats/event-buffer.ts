import type { Occurrence } from './messages.js';

/** An event that waits to be published. */
export type Waiting = Occurrence & {
  /** When it happened, on the clock of the machine. */
  readonly at: string;
};

/**
 * Events on their way out, in order, at most `limit` of them. When it is full the oldest is given up, of those first
 * that the run's state does not decide; a `gap` then comes before what is left and says how many.
 */
export class EventBuffer {
  readonly #events: Waiting[] = [];
  #lost = 0;
  #why = '';

  constructor(private readonly limit: number) {}

  /** Events that wait, and a gap if there is one to tell of. */
  get length(): number {
    return this.#events.length + (this.#lost > 0 ? 1 : 0);
  }

  add(event: Waiting): void {
    this.#events.push(event);
    if (this.#events.length <= this.limit) return;
    const routine = this.#events.findIndex(({ key }) => key === undefined);
    this.#events.splice(Math.max(0, routine), 1);
    this.lose(`more than ${this.limit} events waited for NATS`);
  }

  /** Counts an event that cannot be published; the gap tells of it. */
  lose(why: string): void {
    this.#lost++;
    this.#why = why;
  }

  /** The next one to publish; it is the caller's from now on. */
  take(at: string): Waiting | undefined {
    if (this.#lost === 0) return this.#events.shift();
    const data = { lost: this.#lost, reason: this.#why };
    this.#lost = 0;
    return { type: 'gap', data, at };
  }

  /** Gives up all that waits. @returns how many events that were. */
  clear(): number {
    const left = this.#events.splice(0).length + this.#lost;
    this.#lost = 0;
    return left;
  }
}
