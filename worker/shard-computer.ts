import type { Engine, EvaluateProgram, ProgramSpec, TrainProgram } from '../engine/engine.js';
import type { Split } from '../data/dataset.js';
import { augmentInto } from '../job/augment.js';
import { drawMasks } from '../job/dropout.js';
import { InvariantError } from '../util/errors.js';
import type { JobManifest } from '../job/manifest.js';
import { batchSizes, epochOf, manifestPlan, shardRange, type StepPlan } from '../job/plan.js';
import { SampleOrder } from '../job/samples.js';
import { sumNode } from '../job/reduction.js';
import type { TreeNode } from '../job/tree.js';
import { monotonicMs } from '../util/clock.js';
import { fingerprint } from './fingerprint.js';

/** What a shard's samples gave besides the gradient. */
export interface ShardResult {
  readonly shard: number;
  readonly samples: number;
  readonly lossSum: number;
  readonly correct: number;
  readonly statistics: Float32Array;
  readonly computeMs: number;
  /** On the monotonic clock; the computation ended `computeMs` later. */
  readonly beginMs: number;
}

/** A shard's samples of one step. */
interface Batch {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** Computes shards and evaluation batches of one job with one engine. Keeps no training state. */
export class ShardComputer {
  readonly shards = new Map<number, Split>();
  readonly batches = new Map<number, Split>();
  readonly #plan: StepPlan;
  readonly #order: SampleOrder;
  readonly #imageBytes: number;
  /** What `prepare` put together. */
  #prepared: { readonly shard: number; readonly step: number; readonly batch: Batch } | undefined;
  /** The programs with two threads, by batch size, once they are known to give the same bits. */
  #wide: ReadonlyMap<number, TrainProgram> = new Map();

  private constructor(
    readonly manifest: JobManifest,
    private readonly train: ReadonlyMap<number, TrainProgram>,
    private readonly evaluate: ReadonlyMap<number, EvaluateProgram>,
  ) {
    this.#plan = manifestPlan(manifest);
    this.#order = new SampleOrder(this.#plan, manifest.spec.seed);
    this.#imageBytes = manifest.dataset.imageShape.reduce((a, b) => a * b);
  }

  /** Compiles every program that the job needs: each batch size that occurs, for training and for evaluation. */
  static async compile(engine: Engine, manifest: JobManifest): Promise<ShardComputer> {
    const { topology, dataset } = manifest;
    const common: Omit<ProgramSpec, 'batch' | 'mode'> = {
      topology,
      imageShape: dataset.imageShape,
      classes: dataset.classes.length,
      normalise: dataset.normalise,
    };
    const { loss } = manifest.spec;
    const train = new Map<number, TrainProgram>();
    for (const batch of batchSizes(manifestPlan(manifest))) {
      train.set(batch, await engine.compileTrain({ ...common, loss, batch, mode: 'train' }));
    }
    const evaluate = new Map<number, EvaluateProgram>();
    for (const batch of new Set(manifest.evaluation.map(({ count }) => count))) {
      evaluate.set(batch, await engine.compileEvaluate({ ...common, batch, mode: 'evaluate' }));
    }
    return new ShardComputer(manifest, train, evaluate);
  }

  /** Where the largest training program runs, as `TrainProgram.placement` says it. */
  get placement(): string | undefined {
    return required(this.train, Math.max(...this.train.keys())).placement;
  }

  /** Digest of what the programs compute on probe inputs; runs each of them once. */
  async fingerprint(): Promise<string> {
    return fingerprint({ train: [...this.train.values()], evaluate: [...this.evaluate.values()] }, this.manifest);
  }

  /**
   * Makes the largest training program with two threads as well, for when another core has nothing to do.
   * @returns whether it gives the same bits on probe inputs; it is not used otherwise.
   */
  async widen(): Promise<boolean> {
    const batch = Math.max(...this.train.keys());
    const program = required(this.train, batch);
    if (!program.widened) return false;
    const wide = await program.widened();
    const bits = (train: TrainProgram) => fingerprint({ train: [train], evaluate: [] }, this.manifest);
    const isSame = (await bits(wide)) === (await bits(program));
    if (isSame) this.#wide = new Map([[batch, wide]]);
    else await wide.dispose();
    return isSame;
  }

  /** Puts a shard's images together ahead of `node`, which then does not have to; if there are data, and such a step. */
  prepare(shard: number, step: number): void {
    if (!this.shards.has(shard) || step >= this.#plan.totalSteps) return;
    this.#prepared = { shard, step, batch: this.#gather(shard, step, this.#order.indices(shard, step)) };
  }

  /**
   * Gradient sum over a node's shards, taken in tree order, and what each of them reported.
   * @param isWide - whether the next shard may be computed with two threads.
   */
  async node(
    node: TreeNode,
    step: number,
    params: Float32Array,
    isWide: () => boolean = () => false,
  ): Promise<{ gradient: Float32Array; reports: ShardResult[] }> {
    const reports: ShardResult[] = [];
    const gradient = await sumNode(node, async (shard) => {
      const result = await this.#shard(shard, step, params, isWide());
      reports.push(result.report);
      return result.gradient;
    });
    return { gradient, reports };
  }

  /** Log-softmax rows `[images, classes]` of an evaluation batch. @param vector - parameters, then running statistics. */
  async rows(batch: number, vector: Float32Array): Promise<Float32Array> {
    const { images, labels } = required(this.batches, batch);
    const { parameterCount } = this.manifest;
    const program = required(this.evaluate, labels.length);
    const input = {
      params: vector.subarray(0, parameterCount),
      state: vector.subarray(parameterCount),
      images: Uint8Array.from(images),
      labels: new Int32Array(0),
    };
    return (await program.run(input)).logProbabilities;
  }

  async #shard(
    shard: number,
    step: number,
    params: Float32Array,
    wide: boolean,
  ): Promise<{ gradient: Float32Array; report: ShardResult }> {
    const beginMs = monotonicMs();
    const samples = this.#order.indices(shard, step);
    if (samples.length === 0) return this.#noSamples(shard, beginMs);
    const { images, labels } = this.#takePrepared(shard, step) ?? this.#gather(shard, step, samples);
    const program = (wide ? this.#wide.get(samples.length) : undefined) ?? required(this.train, samples.length);
    const masks = drawMasks(program.masks, { seed: this.manifest.spec.seed, step, shard });
    const { gradient, ...rest } = await program.run({ params, state: new Float32Array(0), images, labels, masks });
    const computeMs = monotonicMs() - beginMs;
    return { gradient, report: { shard, samples: samples.length, beginMs, computeMs, ...rest } };
  }

  #noSamples(shard: number, beginMs: number): { gradient: Float32Array; report: ShardResult } {
    const statistics = new Float32Array(this.manifest.stateCount);
    const report = { shard, samples: 0, lossSum: 0, correct: 0, statistics, computeMs: 0, beginMs };
    return { gradient: new Float32Array(this.manifest.parameterCount), report };
  }

  #takePrepared(shard: number, step: number): Batch | undefined {
    const prepared = this.#prepared;
    if (prepared?.shard !== shard || prepared.step !== step) return undefined;
    this.#prepared = undefined;
    return prepared.batch;
  }

  #gather(shard: number, step: number, samples: Uint32Array): Batch {
    const { spec, dataset, shards } = this.manifest;
    const part = required(this.shards, shard);
    const first = shardRange(dataset.trainSamples, shards.length, shard).start;
    const { epoch } = epochOf(this.#plan, step);
    const images = new Uint8Array(samples.length * this.#imageBytes);
    samples.forEach((sample, i) => {
      const copy = {
        images: part.images,
        imageOffset: sample * this.#imageBytes,
        target: images,
        targetOffset: i * this.#imageBytes,
        imageShape: dataset.imageShape,
      };
      augmentInto(copy, spec.data.augment, { seed: spec.seed, epoch, globalIndex: first + sample });
    });
    return { images, labels: Int32Array.from(samples, (sample) => part.labels[sample]!) };
  }
}

function required<T>(map: ReadonlyMap<number, T>, key: number): T {
  const value = map.get(key);
  if (value === undefined) throw new InvariantError(`shard computer: nothing for ${key}`);
  return value;
}
