import type { RunEvent, RunEvents } from './events.js';

/** An event and when it happened, in milliseconds of `performance.now()`. */
export interface HeldEvent {
  readonly event: RunEvent;
  readonly atMs: number;
}

/** More are not kept; the oldest ones are given up. */
const mostHeld = 1_000;

/** Keeps a run's events for an observer that is loaded later. */
export class HeldEvents {
  #held: HeldEvent[] | undefined = [];

  constructor(events: RunEvents) {
    events.subscribe((event) => {
      if (!this.#held) return;
      this.#held.push({ event, atMs: performance.now() });
      if (this.#held.length > mostHeld) this.#held.shift();
    });
  }

  /** What has happened so far, oldest first. Nothing is kept from now on: who takes it listens for itself. */
  take(): readonly HeldEvent[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return held;
  }
}
