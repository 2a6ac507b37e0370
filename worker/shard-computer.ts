import type { Engine, EvaluateProgram, ProgramSpec, TrainProgram, TrainResult } from '../engine/engine.js';
import type { Split } from '../data/dataset.js';
import { drawMasks } from '../job/dropout.js';
import { InvariantError } from '../util/errors.js';
import type { JobManifest } from '../job/manifest.js';
import { batchSizes, manifestPlan, type StepPlan } from '../job/plan.js';
import { SampleOrder } from '../job/samples.js';
import { gatherBatch, type ShardBatch } from '../job/shard-batch.js';
import { bytesOf } from '../proto/chunks.js';
import type { ShardReport, ShardSpan } from '../proto/messages.js';
import { monotonicMs } from '../util/clock.js';
import { fingerprint } from './fingerprint.js';

/** Gradient sum and report of one shard in one step. */
export interface ShardResult {
  readonly gradient: Float32Array;
  readonly report: ShardReport;
  readonly span: ShardSpan;
}

interface ShardInput {
  readonly shard: number;
  readonly step: number;
  readonly params: Float32Array;
  /** Indices within the shard. */
  readonly samples: Uint32Array;
  readonly threads: number | undefined;
}

/** Computes shards and evaluation batches of one job with one engine. Keeps no training state. */
export class ShardComputer {
  readonly shards = new Map<number, Split>();
  readonly batches = new Map<number, Split>();
  readonly #plan: StepPlan;
  readonly #order: SampleOrder;
  /** Batch that `prepare` gathered. */
  #prepared: { readonly shard: number; readonly step: number; readonly batch: ShardBatch } | undefined;

  private constructor(
    private readonly engine: Engine,
    readonly manifest: JobManifest,
    private readonly train: ReadonlyMap<number, TrainProgram>,
    private readonly evaluate: ReadonlyMap<number, EvaluateProgram>,
  ) {
    this.#plan = manifestPlan(manifest);
    this.#order = new SampleOrder(this.#plan, manifest.spec.seed);
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
    return new ShardComputer(engine, manifest, train, evaluate);
  }

  /** Placement of the largest training program; see `TrainProgram.placement`. */
  get placement(): string | undefined {
    return required(this.train, Math.max(...this.train.keys())).placement;
  }

  /** Digest of the programs' outputs on probe inputs; runs each program once. */
  async fingerprint(): Promise<string> {
    return fingerprint({ train: [...this.train.values()], evaluate: [...this.evaluate.values()] }, this.manifest);
  }

  /** Gathers a shard's images ahead of `shard`, if it has the data and the job has that step. */
  prepare(shard: number, step: number): void {
    if (!this.shards.has(shard) || step >= this.#plan.totalSteps) return;
    this.#prepared = { shard, step, batch: this.#gather(shard, step, this.#order.indices(shard, step)) };
  }

  /** Computes one shard of a step. @param threads - default: the job's number. */
  async shard(shard: number, step: number, params: Float32Array, threads?: number): Promise<ShardResult> {
    const beginMs = monotonicMs();
    const samples = this.#order.indices(shard, step);
    const { gradient, statistics, lossSum, correct } =
      samples.length > 0 ? await this.#run({ shard, step, params, samples, threads }) : this.#noSamples();
    const endMs = monotonicMs();
    const counts = { samples: samples.length, lossSum, correct };
    const report = { shard, ...counts, statistics: bytesOf(statistics), computeMs: endMs - beginMs };
    return { gradient, report, span: { shard, beginMs, endMs } };
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

  #run({ shard, step, params, samples, threads }: ShardInput): Promise<TrainResult> {
    const { images, labels } = this.#takePrepared(shard, step) ?? this.#gather(shard, step, samples);
    const program = required(this.train, samples.length);
    this.engine.setThreads?.(threads ?? this.manifest.spec.engine.threads);
    const masks = drawMasks(program.masks, { seed: this.manifest.spec.seed, step, shard });
    return program.run({ params, state: new Float32Array(0), images, labels, masks });
  }

  #noSamples(): TrainResult {
    const { parameterCount, stateCount } = this.manifest;
    const [gradient, statistics] = [new Float32Array(parameterCount), new Float32Array(stateCount)];
    return { gradient, statistics, lossSum: 0, correct: 0 };
  }

  #takePrepared(shard: number, step: number): ShardBatch | undefined {
    const prepared = this.#prepared;
    if (prepared?.shard !== shard || prepared.step !== step) return undefined;
    this.#prepared = undefined;
    return prepared.batch;
  }

  #gather(shard: number, step: number, samples: Uint32Array): ShardBatch {
    return gatherBatch(this.manifest, this.#plan, { ...required(this.shards, shard), shard, step, samples });
  }
}

function required<T>(map: ReadonlyMap<number, T>, key: number): T {
  const value = map.get(key);
  if (value === undefined) throw new InvariantError(`shard computer: nothing for ${key}`);
  return value;
}
