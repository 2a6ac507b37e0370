import type { TreeNode } from '../../../job/tree.js';
import type { Owed, Phase, Waiting } from '../../state/waiting.js';

export interface WaitingInput {
  readonly nowMs: number;
  readonly beginMs: number;
  readonly usualMs: number | undefined;
  readonly step: number;
  readonly owed: readonly Owed[];
}

/** From when on it is told whom a step waits for. */
export function tellAfterMs(usualMs: number | undefined): number {
  return Math.max(1_000, 3 * (usualMs ?? 0));
}

/** Whom a late step waits for, and what that worker is doing; undefined while the step is not late. */
export function decideWaiting({ nowMs, beginMs, usualMs, step, owed }: WaitingInput): Waiting | undefined {
  const ms = nowMs - beginMs;
  if (owed.length === 0 || ms <= tellAfterMs(usualMs)) return undefined;
  const names = owed.map(
    ({ workerId, phase, shards }) =>
      `${workerId}, ${phase} shard${shards.length === 1 ? '' : 's'} ${shards.join(', ')}`,
  );
  const seconds = ms / 1000;
  const reason = `step ${step} under way for ${seconds.toFixed(1)} s: waiting for ${names.join('; ')}`;
  return { step, workers: owed, seconds, reason };
}

/**
 * What a worker is doing for a step: what has arrived of its result says more than its last heartbeat, and one that
 * has orders but calls itself idle has not received the parameters yet.
 */
export function decidePhase(hasBegunToSend: boolean, heartbeat: string | undefined): Phase {
  if (hasBegunToSend) return 'sending';
  return heartbeat === 'computing' || heartbeat === 'sending' ? heartbeat : 'receiving';
}

/** The shards below some nodes, ascending. */
export function shardsIn(nodes: readonly TreeNode[]): number[] {
  return nodes.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)).sort((a, b) => a - b);
}
