import type { CoordinatorMemory } from '../resource/status.js';
import type { Attempt, End } from './attempts.js';
import { credentialsOf } from './credentials.js';
import { timeMs, timeText } from './time.js';

/**
 * History of the coordinator's starts, stored in the job's status: pods get deleted, and the operator may be restarted.
 */

/** The next start after one that lasted longer isn't delayed. */
const quickMs = 60_000;
const longestDelaySeconds = 60;

export const noMemory: CoordinatorMemory = { attempt: 0, ended: 0, failures: 0, quick: 0 };

/** The end of a start, not recorded before. */
export interface NewEnd {
  readonly attempt: number;
  readonly end: End;
  /** True if the operator stopped it on purpose. */
  readonly wanted: boolean;
}

export interface Recorded {
  readonly memory: CoordinatorMemory;
  readonly newEnd: NewEnd | undefined;
}

/**
 * Records new starts and ended ones.
 *
 * A start counts once its pod has been observed. A missing pod of a counted start has therefore been deleted; it isn't
 * just slow to appear.
 * @param finished - true if the newest start has reported that the run finished, so its end is known without its pod.
 */
export function recordAttempts(
  before: CoordinatorMemory,
  attempts: readonly Attempt[],
  options: { readonly nowMs: number; readonly suspend: boolean; readonly finished: boolean },
): Recorded {
  const newest = attempts.at(-1);
  const seen = newest && newest.number > before.attempt ? see(before, newest, options.nowMs) : before;
  if (seen.ended >= seen.attempt) return { memory: seen, newEnd: undefined };
  const current = attempts.find(({ number }) => number === seen.attempt);
  const end = endOf(current, options.finished);
  if (end === undefined) return { memory: seen, newEnd: undefined };
  const wanted = seen.stopped === seen.attempt && (end.type === 'lost' || end.type === 'failed');
  const newEnd = { attempt: seen.attempt, end, wanted };
  return { memory: close(seen, newEnd, options), newEnd };
}

function see(before: CoordinatorMemory, { number, pod }: Attempt, nowMs: number): CoordinatorMemory {
  const since = timeText(timeMs(pod.metadata?.creationTimestamp) ?? nowMs);
  const memory = { ...before, attempt: number, since, pod: pod.metadata?.name ?? '' };
  delete memory.startAfter;
  delete memory.credentials;
  const credentials = credentialsOf(pod);
  return credentials === undefined ? memory : { ...memory, credentials };
}

/** End of the current start. One that reported success counts as succeeded, whatever happened to its pod afterwards. */
function endOf(current: Attempt | undefined, finished: boolean): End | undefined {
  const end: End | undefined = current === undefined ? { type: 'lost', reason: 'its pod was deleted' } : current.end;
  const isDoubtful = end !== undefined && end.type !== 'succeeded';
  return finished && isDoubtful ? { type: 'succeeded', finalResult: undefined } : end;
}

function close(
  memory: CoordinatorMemory,
  { end, wanted }: NewEnd,
  { nowMs, suspend }: { readonly nowMs: number; readonly suspend: boolean },
): CoordinatorMemory {
  const failed = !wanted && (end.type === 'failed' || end.type === 'wrong');
  const lastEnd = end.type === 'succeeded' ? 'exit code 0' : end.reason.slice(0, 1024);
  const closed = { ...memory, ended: memory.attempt, lastEnd, failures: memory.failures + (failed ? 1 : 0) };
  if (wanted || suspend || end.type === 'succeeded') return { ...closed, quick: 0 };
  const isQuick = nowMs - (timeMs(memory.since) ?? nowMs) < quickMs;
  const quick = isQuick ? memory.quick + 1 : 1;
  const seconds = delaySeconds(failed, quick);
  // Times have whole seconds; round up.
  return { ...closed, quick, ...(seconds === 0 ? {} : { startAfter: timeText(nowMs + 999 + 1000 * seconds) }) };
}

/** Delay before the next start: 1, 2, 4 … 60 s for consecutive failures; none for a first loss, then the same. */
export function delaySeconds(failed: boolean, quick: number): number {
  const doublings = failed ? quick - 1 : quick - 2;
  return doublings < 0 ? 0 : Math.min(longestDelaySeconds, 2 ** doublings);
}
