import type { RunEvents, RunListener } from './events.js';

/**
 * Has an observer see a run's events until it is closed. What looks on must not change the run: when one throws, a note
 * tells of it, once, and the run goes on.
 * @param observer - what it is called in the note.
 * @param afterError - whether it is closed by its first error, or sees what follows nevertheless.
 */
export function listen(
  events: RunEvents,
  observer: string,
  listener: RunListener,
  afterError: 'ends' | 'goes on' = 'ends',
): { close(): void } {
  let [isOpen, hasFailed] = [true, false];
  const failed = ({ message }: Error) => {
    if (hasFailed) return;
    hasFailed = true;
    if (afterError === 'ends') isOpen = false;
    const outcome = afterError === 'ends' ? 'ended by' : 'goes on after';
    events.emit({ type: 'note', message: `${observer}: ${outcome} an error of its own: ${message}` });
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
