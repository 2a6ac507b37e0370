import type { RunEvents, RunListener } from '../events.js';

/**
 * Has an observer see a run's events until it is closed. One that throws is closed, with a note, and the run goes on.
 * @param observer - what it is called in the note.
 */
export function listen(events: RunEvents, observer: string, listener: RunListener): { close(): void } {
  let isOpen = true;
  events.subscribe((event) => {
    if (!isOpen) return;
    try {
      listener(event);
    } catch (error) {
      isOpen = false;
      events.emit({ type: 'note', message: `${observer}: ended by an error of its own: ${(error as Error).message}` });
    }
  });
  return { close: () => void (isOpen = false) };
}
