import { chunkCount, chunkRange } from '../../../proto/chunks.js';
import { monotonicMs } from '../../../util/clock.js';
import { stateDigest, type TrainingState } from '../../../job/digest.js';
import { createOptimizer, type Optimizer, type Slot } from '../../../job/optimizer.js';
import { ReductionTree } from '../../../job/reduction.js';
import type { OptimizerSpec } from '../../../job/spec.js';
import { foldStatistics } from '../../../job/statistics.js';
import type { TreeNode } from '../../../job/tree.js';

/** What the accumulator starts from. The network thread reads `params` and `state` as well. */
export interface AccumulatorSetup {
  readonly optimizer: OptimizerSpec;
  readonly shards: number;
  /** `[parameterCount]` */
  readonly params: Float32Array;
  /** `[stateCount]`, running statistics. */
  readonly state: Float32Array;
  /** `[stateCount]`, momentum of each running statistic. */
  readonly momentum: Float32Array;
  /** The optimizer's vectors of a run that goes on; zero without. */
  readonly slots?: readonly Slot[];
}

/** What is known of a step before any gradient is there. */
export interface StepPlanned {
  readonly step: number;
  readonly samples: number;
  readonly learningRate: number;
}

/** What a shard's samples gave besides the gradient. */
export interface ShardOutcome {
  readonly shard: number;
  readonly samples: number;
  readonly lossSum: number;
  readonly correct: number;
  readonly statistics: Float32Array;
}

/** When a step's arithmetic was done, in ms on the monotonic clock, which is the same in all threads. */
export interface ArithmeticTimes {
  /** The sums are complete and looked at. */
  readonly reducedMs: number;
  /** The update is made; as `reducedMs` where there is none. */
  readonly updatedMs: number;
  /** How long partials were added and looked at. */
  readonly reduceBusyMs: number;
}

/** How a step ended. `nonFinite` names the shards with NaN or infinity, if they are known; then nothing has changed. */
export type StepOutcome = { readonly step: number; readonly times: ArithmeticTimes } & (
  | { readonly kind: 'committed'; readonly lossSum: number; readonly correct: number }
  | { readonly kind: 'nonFinite'; readonly shards: readonly number[] }
);

/**
 * All arithmetic of the coordinator: sums one step's partials along the reduction tree, then updates parameters,
 * optimizer state and running statistics. Nothing changes before the root is complete and finite.
 */
export class Accumulator {
  readonly #optimizer: Optimizer;
  readonly #chunks: number;
  #planned: StepPlanned | undefined;
  #tree: ReductionTree;
  #roots = new Map<number, Float32Array>();
  #outcomes = new Map<number, ShardOutcome>();
  /** Whether the roots so far are finite; each is looked at while others are still on their way. */
  #finite = true;
  /** Shards below partials that are not finite: in a sum it is too late to see where it comes from. */
  readonly #broken = new Set<number>();
  #busyMs = 0;

  constructor(readonly setup: AccumulatorSetup) {
    this.#optimizer = createOptimizer(setup.optimizer, setup.params.length);
    setup.slots?.forEach(({ values }, i) => this.#optimizer.slots[i]!.values.set(values));
    this.#chunks = chunkCount(setup.params.length);
    this.#tree = new ReductionTree(setup.shards, this.#chunks);
  }

  /** Opens a step; whatever had arrived for another one is dropped. */
  begin(planned: StepPlanned): void {
    this.#planned = planned;
    this.#tree = new ReductionTree(this.setup.shards, this.#chunks);
    this.#roots.clear();
    this.#outcomes.clear();
    this.#finite = true;
    this.#broken.clear();
    this.#busyMs = 0;
  }

  /** Adds one chunk of a node's gradient sum, which belongs to the accumulator afterwards; partials of another step are dropped. */
  addChunk(step: number, node: TreeNode, chunk: number, values: Float32Array): StepOutcome | undefined {
    if (step !== this.#planned?.step) return undefined;
    const beginMs = monotonicMs();
    const isFinite = allFinite(values);
    const addition = this.#tree.add(node, chunk, values);
    if (!isFinite && addition.outcome !== 'duplicate') this.#noteBroken(node);
    if (addition.outcome === 'complete') {
      this.#roots.set(chunk, addition.sum);
      // A partial that is the root itself has been looked at.
      const isRoot = node.count === this.setup.shards;
      this.#finite &&= isRoot ? isFinite : allFinite(addition.sum);
    }
    this.#busyMs += monotonicMs() - beginMs;
    return this.#finish();
  }

  /** Adds a shard's loss and statistics; the first of several counts, as they are equal. */
  addOutcome(step: number, outcome: ShardOutcome): StepOutcome | undefined {
    if (step !== this.#planned?.step) return undefined;
    if (!this.#outcomes.has(outcome.shard)) this.#outcomes.set(outcome.shard, outcome);
    return this.#finish();
  }

  /** Copies of everything that training changes, after `step` updates. */
  snapshot(step: number): TrainingState {
    const slots = this.#optimizer.slots.map(({ name, values }) => ({ name, values: values.slice() }));
    return { step, params: Float32Array.from(this.setup.params), slots, state: Float32Array.from(this.setup.state) };
  }

  /** Copies parameters, slots and running statistics, one after the other, into `into`; see `StateLayout`. */
  copyState(into: Float32Array): void {
    let offset = 0;
    for (const values of [this.setup.params, ...this.#optimizer.slots.map((slot) => slot.values), this.setup.state]) {
      into.set(values, offset);
      offset += values.length;
    }
  }

  digest(step: number): string {
    return stateDigest(this.snapshot(step));
  }

  #finish(): StepOutcome | undefined {
    if (this.#roots.size < this.#chunks || this.#outcomes.size < this.setup.shards || !this.#planned) return undefined;
    const { step } = this.#planned;
    const [reducedMs, reduceBusyMs] = [monotonicMs(), this.#busyMs];
    const outcomes = [...this.#outcomes.values()].sort((a, b) => a.shard - b.shard);
    const broken = outcomes.filter((outcome) => !isFiniteOutcome(outcome));
    if (broken.length > 0 || !this.#finite) {
      this.#planned = undefined;
      const shards = broken.length > 0 ? broken.map(({ shard }) => shard) : [...this.#broken].sort((a, b) => a - b);
      return { kind: 'nonFinite', step, shards, times: { reducedMs, updatedMs: reducedMs, reduceBusyMs } };
    }
    this.#update(this.#planned, outcomes);
    this.#planned = undefined;
    const times = { reducedMs, updatedMs: monotonicMs(), reduceBusyMs };
    const sum = (value: (outcome: ShardOutcome) => number) => outcomes.reduce((total, o) => total + value(o), 0);
    return { kind: 'committed', step, times, lossSum: sum((o) => o.lossSum), correct: sum((o) => o.correct) };
  }

  #noteBroken({ first, count }: TreeNode): void {
    for (let shard = first; shard < first + count; shard++) this.#broken.add(shard);
  }

  #update(planned: StepPlanned, outcomes: readonly ShardOutcome[]): void {
    const { params, state, momentum } = this.setup;
    for (const [chunk, root] of this.#roots) {
      this.#optimizer.apply(params, root, planned, chunkRange(params.length, chunk).begin);
    }
    foldStatistics(state, momentum, outcomes);
  }
}

function isFiniteOutcome({ lossSum, statistics }: ShardOutcome): boolean {
  return Number.isFinite(lossSum) && allFinite(statistics);
}

/**
 * Whether no value is NaN or infinity: value − value is 0 for finite ones only, and NaN stays in a sum. Four sums, as
 * one would wait for its last addition each time.
 */
function allFinite(values: Float32Array): boolean {
  const even = values.length - (values.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < even; i += 4) {
    a += values[i]! - values[i]!;
    b += values[i + 1]! - values[i + 1]!;
    c += values[i + 2]! - values[i + 2]!;
    d += values[i + 3]! - values[i + 3]!;
  }
  for (let i = even; i < values.length; i++) a += values[i]! - values[i]!;
  return a + b + c + d === 0;
}
