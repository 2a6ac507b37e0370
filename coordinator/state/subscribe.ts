import type { RunEvents, RunListener } from './events.js';

/**
 * Subscribes an observer to a run's events until it is closed. Observers must not change the run: an error of the
 * observer is reported once, in a note, and the run continues.
 * @param observer - its name in the note.
 * @param afterError - `stop`: no more events after its first error; `continue`: it gets all events.
 */
export function subscribe(
  events: RunEvents,
  observer: string,
  listener: RunListener,
  afterError: 'stop' | 'continue' = 'stop',
): { close(): void } {
  let [isOpen, hasFailed] = [true, false];
  const failed = ({ message }: Error) => {
    if (hasFailed) return;
    hasFailed = true;
    if (afterError === 'stop') isOpen = false;
    const outcome = afterError === 'stop' ? 'stopped' : 'continues';
    events.emit({ type: 'note', message: `${observer}: ${outcome} after an internal error: ${message}` });
  };
  events.subscribe((event) => {
    if (!isOpen) return;
    try {
      listener(event);
    } catch (error) {
      failed(error as Error);
    }
  });
  return { close: () => void (isOpen = false) };
}
