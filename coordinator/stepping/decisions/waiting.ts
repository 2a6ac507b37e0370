import type { TreeNode } from '../../../job/tree.js';
import type { Owed, Phase, Waiting } from '../../state/waiting.js';

export interface WaitingInput {
  readonly nowMs: number;
  readonly beginMs: number;
  readonly usualMs: number | undefined;
  readonly step: number;
  readonly owed: readonly Owed[];
}

/** Time after which the workers that hold up a step are reported. */
export function reportAfterMs(usualMs: number | undefined): number {
  return Math.max(1_000, 3 * (usualMs ?? 0));
}

/** Workers that hold up an overdue step, and their phases; undefined unless it is overdue. */
export function decideWaiting({ nowMs, beginMs, usualMs, step, owed }: WaitingInput): Waiting | undefined {
  const ms = nowMs - beginMs;
  if (owed.length === 0 || ms <= reportAfterMs(usualMs)) return undefined;
  const names = owed.map(
    ({ workerId, phase, shards }) =>
      `${workerId}, ${phase} shard${shards.length === 1 ? '' : 's'} ${shards.join(', ')}`,
  );
  const seconds = ms / 1000;
  const reason = `step ${step} has taken ${seconds.toFixed(1)} s: waiting for ${names.join('; ')}`;
  return { step, workers: owed, seconds, reason };
}

/**
 * A worker's phase in a step. Bytes of its result are newer than its last heartbeat. A worker that has work but reports
 * itself idle hasn't received the parameters yet.
 */
export function decidePhase(hasBegunToSend: boolean, heartbeat: string | undefined): Phase {
  if (hasBegunToSend) return 'sending';
  return heartbeat === 'computing' || heartbeat === 'sending' ? heartbeat : 'receiving';
}

/** Shards below the nodes, ascending. */
export function shardsIn(nodes: readonly TreeNode[]): number[] {
  return nodes.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)).sort((a, b) => a - b);
}
