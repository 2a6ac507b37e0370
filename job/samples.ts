import { epochOf, samplesInStep, type StepPlan } from './plan.js';
import { generatorFor, permutation } from './random.js';

/** The order in which `shard`'s samples are visited in `epoch` (from 0); indices within the shard. */
function epochOrder(plan: StepPlan, seed: number, shard: number, epoch: number): Uint32Array {
  return permutation(plan.shardSizes[shard]!, generatorFor('order', seed, epoch, shard));
}

/**
 * The samples that a shard contributes to a step, as indices within the shard.
 *
 * A function of plan, seed, shard and step alone, so a restarted worker needs no cursor. The orders of the last two
 * epochs asked for are kept per shard, because steps of neighbouring epochs are asked for at an epoch's end.
 */
export class SampleOrder {
  readonly #kept = new Map<number, { readonly epoch: number; readonly order: Uint32Array }[]>();

  constructor(
    readonly plan: StepPlan,
    readonly seed: number,
  ) {}

  /** Length as `samplesInStep` says; the array belongs to the caller. */
  indices(shard: number, step: number): Uint32Array {
    const { epoch, stepInEpoch } = epochOf(this.plan, step);
    const { start, count } = samplesInStep(this.plan, shard, stepInEpoch);
    return this.#order(shard, epoch).slice(start, start + count);
  }

  #order(shard: number, epoch: number): Uint32Array {
    const kept = this.#kept.get(shard) ?? [];
    const found = kept.find((entry) => entry.epoch === epoch);
    if (found) return found.order;
    const order = epochOrder(this.plan, this.seed, shard, epoch);
    this.#kept.set(shard, [{ epoch, order }, ...kept.slice(0, 1)]);
    return order;
  }
}

/** As `SampleOrder.indices`, for a single call. */
export function sampleIndices(plan: StepPlan, seed: number, shard: number, step: number): Uint32Array {
  return new SampleOrder(plan, seed).indices(shard, step);
}
