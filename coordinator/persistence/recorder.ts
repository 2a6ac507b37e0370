import type { RunEvents, RunState } from '../state/events.js';
import { formatPredictions, predictionsFile } from '../../run/predictions-csv.js';
import type { RunDirectory } from '../../run/run-directory.js';
import type { RunStart } from './start-run.js';

/** Records all further events in the run directory. @returns the duration of the training so far. */
export function keepRecords(
  events: RunEvents,
  directory: RunDirectory,
  start: RunStart,
  testLabels: Uint8Array,
): { seconds: () => number } {
  const watch = new StopWatch();
  events.subscribe((event) => {
    if (event.type === 'step') directory.addStep(event.record);
    if (event.type === 'state') watch.entered(event.state, performance.now());
    if (event.type === 'epoch') {
      const { epoch, step, digest } = event;
      directory.addDigest({ epoch, step, digest });
      start.digests.push({ epoch, step, digest });
    }
    if (event.type === 'evaluation') {
      const { record, testRows, predictions, durationMs } = event;
      directory.addEvaluation({ record, testRows, durationMs });
      start.evaluations.push({ record, testRows, durationMs });
      directory.replaceSoon(predictionsFile, formatPredictions(predictions, testLabels));
    }
  });
  return { seconds: () => watch.seconds(performance.now()) };
}

/** Measures the time since the first step, without pauses. */
class StopWatch {
  #ranMs = 0;
  #sinceMs: number | undefined;
  #begun = false;

  entered(state: RunState, nowMs: number): void {
    this.#begun ||= state === 'training';
    const runs = this.#begun && state !== 'paused';
    if (this.#sinceMs !== undefined) this.#ranMs += nowMs - this.#sinceMs;
    this.#sinceMs = runs ? nowMs : undefined;
  }

  seconds(nowMs: number): number {
    return (this.#ranMs + (this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs)) / 1000;
  }
}
