import { epochOf, samplesInStep, type StepPlan } from './plan.js';
import { generatorFor, permutation } from './random.js';

/** Sample order of `shard` in `epoch` (from 0); indices within the shard. */
function epochOrder(plan: StepPlan, seed: number, shard: number, epoch: number): Uint32Array {
  return permutation(plan.shardSizes[shard]!, generatorFor('order', seed, epoch, shard));
}

/**
 * Samples that a shard contributes to a step, as indices within the shard.
 *
 * A function of plan, seed, shard and step alone, so a restarted worker needs no cursor. Caches the sample orders of the
 * last two epochs per shard, because steps of adjacent epochs interleave at an epoch's end.
 */
export class SampleOrder {
  readonly #cached = new Map<number, { readonly epoch: number; readonly order: Uint32Array }[]>();

  constructor(
    readonly plan: StepPlan,
    readonly seed: number,
  ) {}

  /** Indices, `[count]` by `samplesInStep`; the array belongs to the caller. */
  indices(shard: number, step: number): Uint32Array {
    const { epoch, stepInEpoch } = epochOf(this.plan, step);
    const { start, count } = samplesInStep(this.plan, shard, stepInEpoch);
    return this.#order(shard, epoch).slice(start, start + count);
  }

  #order(shard: number, epoch: number): Uint32Array {
    const cached = this.#cached.get(shard) ?? [];
    const found = cached.find((entry) => entry.epoch === epoch);
    if (found) return found.order;
    const order = epochOrder(this.plan, this.seed, shard, epoch);
    this.#cached.set(shard, [{ epoch, order }, ...cached.slice(0, 1)]);
    return order;
  }
}

/** `SampleOrder.indices` for a single call. */
export function sampleIndices(plan: StepPlan, seed: number, shard: number, step: number): Uint32Array {
  return new SampleOrder(plan, seed).indices(shard, step);
}
