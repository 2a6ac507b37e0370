/** Who is there, and whether that is enough: pure functions with the time as an argument. */

/**
 * Workers that have been silent past the heartbeat limit.
 * @param lateMs - by how much this check itself runs late; a coordinator that was held up must not blame the workers
 * for messages that it has not read yet.
 */
export function decideLost(
  workers: readonly { readonly workerId: string; readonly lastHeardMs: number }[],
  nowMs: number,
  limitMs: number,
  lateMs: number,
): string[] {
  if (lateMs > limitMs / 4) return [];
  return workers.filter((worker) => nowMs - worker.lastHeardMs > limitMs).map((worker) => worker.workerId);
}

/** The workers of a run, by id. */
export interface Presence {
  readonly ready: readonly string[];
  /** Joined, not ready yet. */
  readonly compiling: readonly string[];
  /** Lost, or left, since the run last had as many as it wanted. */
  readonly gone: readonly string[];
}

export interface StartDecision {
  readonly start: boolean;
  readonly reason: string;
}

/** Whether enough workers are ready for a step, and if not, who is on the way and who is missed. */
export function decideStart({ ready, compiling, gone }: Presence, wanted: number): StartDecision {
  if (ready.length >= wanted) {
    return { start: true, reason: `${ready.length} ${ready.length === 1 ? 'worker' : 'workers'} ready` };
  }
  const parts = [`waiting for workers: ${ready.length} of ${wanted} ready`];
  if (compiling.length > 0) parts.push(`compiling: ${compiling.join(', ')}`);
  if (gone.length > 0) parts.push(`gone: ${gone.join(', ')}`);
  return { start: false, reason: parts.join('; ') };
}
