import { generatorFor } from '../../../job/random.js';

/**
 * Which shards of a step are computed twice: each with probability `share`, from a generator of its own per step, so
 * that a run that is resumed audits the same ones.
 */
export function decideAudit(seed: number, step: number, shards: number, share: number): number[] {
  if (share <= 0) return [];
  const generator = generatorFor('audit', seed, step);
  const chance = () => (generator.next() >>> 0) / 2 ** 32;
  return Array.from({ length: shards }, (_, shard) => shard).filter(() => chance() < share);
}

/**
 * Who computes an audited shard the second time: another worker than its owner, one that has the data first, of those
 * one that stands by, else whoever has the least to do; the owner itself where it is alone.
 * @param candidates - ready workers, with how many shards each computes in this step.
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
