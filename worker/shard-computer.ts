import type { Engine, EvaluateProgram, ProgramSpec, TrainProgram, TrainResult } from '../engine/engine.js';
import type { Split } from '../data/dataset.js';
import { augmentInto } from '../job/augment.js';
import { drawMasks } from '../job/dropout.js';
import { InvariantError } from '../util/errors.js';
import type { JobManifest } from '../job/manifest.js';
import { batchSizes, epochOf, manifestPlan, shardRange, type StepPlan } from '../job/plan.js';
import { SampleOrder } from '../job/samples.js';
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
  /** Batch that `prepare` gathered. */
  #prepared: { readonly shard: number; readonly step: number; readonly batch: Batch } | undefined;

  private constructor(
    private readonly engine: Engine,
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

  #takePrepared(shard: number, step: number): Batch | undefined {
    const prepared = this.#prepared;
    if (prepared?.shard !== shard || prepared.step !== step) return undefined;
    this.#prepared = undefined;
    return prepared.batch;
  }

  #gather(shard: number, step: number, samples: Uint32Array): Batch {
    const { spec, dataset, shards } = this.manifest;
    const data = required(this.shards, shard);
    const first = shardRange(dataset.trainSamples, shards.length, shard).start;
    const { epoch } = epochOf(this.#plan, step);
    const images = new Uint8Array(samples.length * this.#imageBytes);
    samples.forEach((sample, i) => {
      const copy = {
        images: data.images,
        imageOffset: sample * this.#imageBytes,
        target: images,
        targetOffset: i * this.#imageBytes,
        imageShape: dataset.imageShape,
      };
      augmentInto(copy, spec.data.augment, { seed: spec.seed, epoch, globalIndex: first + sample });
    });
    return { images, labels: Int32Array.from(samples, (sample) => data.labels[sample]!) };
  }
}

function required<T>(map: ReadonlyMap<number, T>, key: number): T {
  const value = map.get(key);
  if (value === undefined) throw new InvariantError(`shard computer: nothing for ${key}`);
  return value;
}
