import { chunkCount, chunkRange } from '../../../proto/chunks.js';
import { monotonicMs } from '../../../util/clock.js';
import { stateDigest, type TrainingState } from '../../../job/digest.js';
import { createOptimizer, type Optimizer, type Slot } from '../../../job/optimizer.js';
import { ReductionTree } from '../../../job/reduction.js';
import type { OptimizerSpec } from '../../../job/spec.js';
import { foldStatistics } from '../../../job/statistics.js';
import type { TreeNode } from '../../../job/tree.js';
import { plainVectors } from '../../../job/vectors.js';
import type { ShardReport } from '../../../proto/messages.js';

/** State that the accumulator updates in place. The network thread reads `params` and `state`. */
export interface AccumulatorSetup {
  readonly optimizer: OptimizerSpec;
  readonly shards: number;
  /** `[parameterCount]` */
  readonly params: Float32Array;
  /** `[stateCount]`, running statistics. */
  readonly state: Float32Array;
  /** `[stateCount]`, momentum of each running statistic. */
  readonly momentum: Float32Array;
  /** The optimizer's vectors of a resumed run; zeros by default. */
  readonly slots?: readonly Slot[];
}

/** The update that a step makes. */
export interface StepUpdate {
  readonly step: number;
  readonly samples: number;
  readonly learningRate: number;
}

/** Times of a step's arithmetic, in ms on the monotonic clock, which is the same in all threads. */
export interface ArithmeticTimes {
  /** The sums are complete and checked. */
  readonly reducedMs: number;
  /** The update is made; equals `reducedMs` if there is none. */
  readonly updatedMs: number;
  /** Time spent adding and checking partials. */
  readonly reduceBusyMs: number;
}

/** Result of a step. `nonFinite` lists the shards with NaN or infinity, if known; no parameter has changed then. */
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
  #update: StepUpdate | undefined;
  #tree: ReductionTree;
  #roots = new Map<number, Float32Array>();
  #reports = new Map<number, ShardReport>();
  /** True while all roots so far are finite; each is checked while others are still arriving. */
  #finite = true;
  /** Shards of partials that are not finite, recorded because a sum no longer shows its origin. */
  readonly #broken = new Set<number>();
  #busyMs = 0;

  constructor(
    readonly setup: AccumulatorSetup,
    private readonly vectors = plainVectors,
  ) {
    this.#optimizer = createOptimizer(setup.optimizer, setup.params.length, vectors);
    setup.slots?.forEach(({ values }, i) => this.#optimizer.slots[i]!.values.set(values));
    this.#chunks = chunkCount(setup.params.length);
    this.#tree = new ReductionTree(setup.shards, this.#chunks, vectors);
  }

  /** Begins a step; drops what has arrived for another one. */
  begin(update: StepUpdate): void {
    this.#update = update;
    this.#tree = new ReductionTree(this.setup.shards, this.#chunks, this.vectors);
    this.#roots.clear();
    this.#reports.clear();
    this.#finite = true;
    this.#broken.clear();
    this.#busyMs = 0;
  }

  /**
   * Adds one chunk of a node's gradient sum; drops one of another step.
   * @param values - owned by the accumulator afterwards.
   */
  addChunk(step: number, node: TreeNode, chunk: number, values: Float32Array): StepOutcome | undefined {
    if (step !== this.#update?.step) return undefined;
    const beginMs = monotonicMs();
    const isFinite = this.vectors.allFinite(values);
    const addition = this.#tree.add(node, chunk, values);
    if (!isFinite && addition.outcome !== 'duplicate') this.#noteBroken(node);
    if (addition.outcome === 'complete') {
      this.#roots.set(chunk, addition.sum);
      // A partial that is the root itself has already been checked.
      const isRoot = node.count === this.setup.shards;
      this.#finite &&= isRoot ? isFinite : this.vectors.allFinite(addition.sum);
    }
    this.#busyMs += monotonicMs() - beginMs;
    return this.#finish();
  }

  /** Adds a shard's report. The first of several counts, as they are equal. */
  addReport(step: number, report: ShardReport): StepOutcome | undefined {
    if (step !== this.#update?.step) return undefined;
    if (!this.#reports.has(report.shard)) this.#reports.set(report.shard, report);
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
    const update = this.#update;
    if (this.#roots.size < this.#chunks || this.#reports.size < this.setup.shards || !update) return undefined;
    const { step } = update;
    const [reducedMs, reduceBusyMs] = [monotonicMs(), this.#busyMs];
    const reports = [...this.#reports.values()].sort((a, b) => a.shard - b.shard).map(withFloats);
    const broken = reports.filter(
      ({ lossSum, statistics }) => !Number.isFinite(lossSum) || !this.vectors.allFinite(statistics),
    );
    this.#update = undefined;
    if (broken.length > 0 || !this.#finite) {
      const shards = broken.length > 0 ? broken.map(({ shard }) => shard) : [...this.#broken].sort((a, b) => a - b);
      return { kind: 'nonFinite', step, shards, times: { reducedMs, updatedMs: reducedMs, reduceBusyMs } };
    }
    this.#apply(update);
    foldStatistics(this.setup.state, this.setup.momentum, reports);
    const times = { reducedMs, updatedMs: monotonicMs(), reduceBusyMs };
    const [lossSum, correct] = [sum(reports.map((r) => r.lossSum)), sum(reports.map((r) => r.correct))];
    return { kind: 'committed', step, times, lossSum, correct };
  }

  #noteBroken({ first, count }: TreeNode): void {
    for (let shard = first; shard < first + count; shard++) this.#broken.add(shard);
  }

  #apply(update: StepUpdate): void {
    const { params } = this.setup;
    for (const [chunk, root] of this.#roots) {
      this.#optimizer.apply(params, root, update, chunkRange(params.length, chunk).begin);
    }
  }
}

/** A report with its statistics as values; their bytes may begin anywhere in a message. */
function withFloats({ statistics, ...report }: ShardReport) {
  return { ...report, statistics: new Float32Array(new Uint8Array(statistics).buffer) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
