import { generatorFor } from '../../../job/random.js';

/**
 * Shards of a step to compute twice: each with probability `share`. The generator is a function of the step, so a
 * resumed run audits the same shards.
 */
export function decideAudit(seed: number, step: number, shards: number, share: number): number[] {
  if (share <= 0) return [];
  const generator = generatorFor('audit', seed, step);
  const chance = () => (generator.next() >>> 0) / 2 ** 32;
  return Array.from({ length: shards }, (_, shard) => shard).filter(() => chance() < share);
}

/**
 * Worker that computes an audited shard a second time. It isn't the owner, unless there is no other worker. Workers
 * that have the data are preferred, then those with the lowest load.
 * @param candidates - ready workers; `load` is the number of shards that each computes in this step.
 */
export function decideAuditor(
  shard: number,
  owner: string | undefined,
  candidates: readonly { readonly workerId: string; readonly holding: ReadonlySet<number>; readonly load: number }[],
): string | undefined {
  const others = candidates.filter(({ workerId }) => workerId !== owner);
  const rank = (holding: ReadonlySet<number>) => (holding.has(shard) ? 0 : 1);
  const [best] = others.toSorted((a, b) => rank(a.holding) - rank(b.holding) || a.load - b.load);
  return best?.workerId ?? owner;
}
