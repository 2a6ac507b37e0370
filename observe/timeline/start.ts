import { monotonicMs } from '../../util/clock.js';
import type { RunEvent, RunEvents } from '../../coordinator/state/events.js';
import { subscribe } from '../../coordinator/state/subscribe.js';
import { TraceClock } from './trace-event.js';
import { maxTraceBytes, TraceFile } from './trace-file.js';
import { TraceRun } from './trace-run.js';

export interface TraceOptions {
  /** Where the file is put: the run directory. */
  readonly directory: string;
  /** Steps after which it ends; without, it ends with the run, or at `maxTraceBytes`. */
  readonly steps?: number | undefined;
}

/** A trace that is being written. */
export interface Trace {
  readonly path: string;
  /** Settles when the file is complete. */
  close(): Promise<void>;
}

/**
 * Writes a run's time line. It ends early, with a note, when it is long enough or cannot be written; the run goes on.
 * @throws when the file cannot be made.
 */
export async function startTrace(events: RunEvents, { directory, steps = Infinity }: TraceOptions): Promise<Trace> {
  const zeroMs = monotonicMs();
  const run = new TraceRun(zeroMs);
  const end = (why: string) => {
    listening.close();
    events.emit({ type: 'note', message: `trace: ends here, ${why}; the run goes on` });
  };
  const file = await TraceFile.create(directory, (error) => end(`as it cannot be written (${error.message})`));
  file.append(run.begin());
  let stepsLeft = steps;
  const listening = subscribe(events, 'trace', (event: RunEvent) => {
    const appended = file.append(run.eventsOf(event, monotonicMs()));
    if (appended === 'full')
      end(`as the file has ${maxTraceBytes / 2 ** 20} MiB; ask for fewer steps with --trace STEPS`);
    else if (event.type === 'timing' && --stepsLeft === 0) end(`after the ${steps} steps that were asked for`);
  });
  return {
    path: file.path,
    close: () => {
      listening.close();
      const clock = new TraceClock(zeroMs);
      return file.close(clock.instant({ pid: 1, tid: 1 }, 'end of trace', monotonicMs(), {}));
    },
  };
}
