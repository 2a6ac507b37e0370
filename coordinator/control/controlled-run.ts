import type { HistoryReply } from '../../proto/messages.js';
import type { ObservedRun } from '../state/run-view.js';
import type { RunControl } from './control.js';

/** A coordinator as seen by clients that observe and control its run, such as NATS. */
export interface ControlledRun extends ObservedRun {
  /** Summary of the run, thinned to at most `points`. Resolves once the job is prepared. @throws when preparing fails. */
  history(points?: number): Promise<HistoryReply>;
  /** Resolves once the job is prepared. @throws when preparing fails. */
  control(): Promise<RunControl>;
  /** Ends the run with an error, such as the loss of all local workers. */
  fail(error: Error): void;
}
