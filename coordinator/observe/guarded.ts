import type { RunEvent, RunListener } from '../events.js';

/** A listener whose errors do not reach the run: what looks on must not change it. The first one is told of. */
export function guarded(listener: RunListener, onFirstError: (error: Error) => void): RunListener {
  let told = false;
  return (event: RunEvent) => {
    try {
      listener(event);
    } catch (error) {
      if (told) return;
      told = true;
      onFirstError(error as Error);
    }
  };
}
