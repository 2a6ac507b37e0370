import { monotonicMs } from '../../util/clock.js';
import type { RunEvent, RunEvents } from '../../coordinator/state/events.js';
import { subscribe } from '../../coordinator/state/subscribe.js';
import { TimelineClock } from './trace-event.js';
import { maxTimelineBytes, TimelineFile } from './timeline-file.js';
import { TimelineRun } from './timeline-run.js';

export interface TimelineOptions {
  /** The run directory, which the file is written to. */
  readonly directory: string;
  /** Number of steps recorded; by default all, up to `maxTimelineBytes`. */
  readonly steps?: number | undefined;
}

/** A timeline that is being written. */
export interface Timeline {
  readonly path: string;
  /** Settles when the file is complete. */
  close(): Promise<void>;
}

/**
 * Writes a run's timeline. Ends early with a note when it is long enough or can't be written; the run continues.
 * @throws when the file can't be created.
 */
export async function startTimeline(
  events: RunEvents,
  { directory, steps = Infinity }: TimelineOptions,
): Promise<Timeline> {
  const zeroMs = monotonicMs();
  const run = new TimelineRun(zeroMs);
  const end = (why: string) => {
    subscription.close();
    events.emit({ type: 'note', message: `timeline: ends here, ${why}; the run continues` });
  };
  const file = await TimelineFile.create(directory, (error) => end(`as it can't be written (${error.message})`));
  file.append(run.begin());
  let stepsLeft = steps;
  const subscription = subscribe(events, 'timeline', (event: RunEvent) => {
    const appended = file.append(run.eventsOf(event, monotonicMs()));
    if (appended === 'full')
      end(`as the file has reached ${maxTimelineBytes / 2 ** 20} MiB; ask for fewer steps with --trace STEPS`);
    else if (event.type === 'timing' && --stepsLeft === 0) end(`after the requested ${steps} steps`);
  });
  return {
    path: file.path,
    close: () => {
      subscription.close();
      const clock = new TimelineClock(zeroMs);
      return file.close(clock.instant({ pid: 1, tid: 1 }, 'end of timeline', monotonicMs(), {}));
    },
  };
}
