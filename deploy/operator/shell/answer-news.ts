import type { Answer } from '../plan/types.js';

/** Progress of a job that trains is worth a look this often; with many jobs more seldom, by the limit below. */
export const progressMs = 5_000;
/** Looks per second at most, of all jobs together, that are for progress alone: each is a write to the API server. */
const progressPerSecond = 20;

const ends: ReadonlySet<string> = new Set(['finished', 'stopped', 'failed']);

/** Whether a coordinator's state is its last one. */
export function isEndState(state: string): boolean {
  return ends.has(state);
}

/** How often each of so many jobs is looked at for its progress. */
export function progressIntervalMs(jobs: number): number {
  return Math.max(progressMs, (jobs / progressPerSecond) * 1000);
}

/**
 * Whether to plan anew for what a coordinator answered: at once where something else than progress has changed.
 * @param toldMs - since the last answer that was planned for.
 */
export function isNews(
  before: Answer | undefined,
  after: Answer,
  { toldMs, intervalMs }: { readonly toldMs: number; readonly intervalMs: number },
): boolean {
  if (toldMs >= intervalMs) return true;
  return before?.error !== after.error || gist(before) !== gist(after);
}

/** What of an answer is not progress. Of a run that trains the reason may be another one at each step. */
function gist(answer: Answer | undefined): string {
  const status = answer?.status;
  if (!status) return '';
  const { state, workers, epochs, digestEpoch } = status;
  const reason = state === 'training' ? '' : status.reason;
  const ready = workers.filter((worker) => worker.state !== 'compiling').length;
  return JSON.stringify([answer.pod, state, reason, workers.length, ready, epochs, digestEpoch]);
}
