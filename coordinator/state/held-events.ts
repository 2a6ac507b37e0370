import type { RunEvent, RunEvents } from './events.js';

/** An event with its time on the clock of `performance.now()`. */
export interface HeldEvent {
  readonly event: RunEvent;
  readonly atMs: number;
}

/** Limit of buffered events; beyond it the oldest are dropped. */
const mostHeld = 1_000;

/** Buffers a run's events for an observer that is loaded later. */
export class HeldEvents {
  #held: HeldEvent[] | undefined = [];

  constructor(events: RunEvents) {
    events.subscribe((event) => {
      if (!this.#held) return;
      this.#held.push({ event, atMs: performance.now() });
      if (this.#held.length > mostHeld) this.#held.shift();
    });
  }

  /** The events so far, oldest first. Ends buffering: the caller subscribes to further events itself. */
  take(): readonly HeldEvent[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return held;
  }
}
