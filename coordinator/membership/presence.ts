import { connectLimitMs } from '../../transport/liveness.js';

/** Maximum number of workers that a reason lists. */
const maxNames = 8;

/** Fields of a worker that decide if it is lost. */
export interface Audible {
  readonly workerId: string;
  readonly lastHeardMs: number;
  /** The newest heartbeat, if any has arrived. */
  readonly heartbeat?: object | undefined;
}

/**
 * Workers that have been silent past the heartbeat limit. The connection for heartbeats is opened as the worker joins,
 * so the limit for the first heartbeat also includes the time to connect.
 */
export function decideLost(workers: readonly Audible[], nowMs: number, limitMs: number): string[] {
  const limitOf = ({ heartbeat }: Audible) => (heartbeat ? limitMs : limitMs + connectLimitMs);
  return workers.filter((worker) => nowMs - worker.lastHeardMs > limitOf(worker)).map(({ workerId }) => workerId);
}

/** The workers of a run, by id. */
export interface Presence {
  readonly ready: readonly string[];
  /** Joined, not ready yet. */
  readonly compiling: readonly string[];
  /** Lost or left since the run last had enough workers. */
  readonly gone: readonly string[];
}

export interface StartDecision {
  readonly start: boolean;
  readonly reason: string;
}

/** Decides if enough workers are ready for a step. The reason lists workers that are compiling or disconnected. */
export function decideStart({ ready, compiling, gone }: Presence, wanted: number): StartDecision {
  if (ready.length >= wanted) {
    return { start: true, reason: `${ready.length} ${ready.length === 1 ? 'worker' : 'workers'} ready` };
  }
  const parts = [`waiting for workers: ${ready.length} of ${wanted} ready`];
  if (compiling.length > 0) parts.push(`compiling: ${listed(compiling)}`);
  if (gone.length > 0) parts.push(`disconnected: ${listed(gone)}`);
  return { start: false, reason: parts.join('; ') };
}

/** The first names and the number of others, because hundreds of workers may join at once. */
function listed(workerIds: readonly string[]): string {
  const more = workerIds.length - maxNames;
  return [...workerIds.slice(0, maxNames), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}
