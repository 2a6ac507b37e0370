import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine, ModelTopology, ProgramSpec } from '../../engine/engine.js';
import { describeModel, initialWeights } from '../../engine/model/model.js';
import { createOnnxEngine } from '../../engine/onnx/engine.js';
import type { Split } from '../../data/dataset.js';
import { augmentInto } from '../../job/augment.js';
import type { JobManifest } from '../../job/manifest.js';
import { manifestPlan, shardRange } from '../../job/plan.js';
import { sampleIndices } from '../../job/samples.js';
import { type JobSpecInput, parseSpec } from '../../job/spec.js';
import { sumNode } from '../../job/node-sum.js';
import type { TreeNode } from '../../job/tree.js';
import { bytesOf } from '../../proto/chunks.js';
import type { ShardReport } from '../../proto/messages.js';
import { ShardComputer } from '../../worker/shard-computer.js';

const imageShape = [4, 4, 3] as const;
const imageBytes = 48;
const classes = 3;
const trainSamples = 23;
const testSamples = 5;

/**
 * A convolution of two filters, batch norm and three logits: the smallest model with gradients and running statistics.
 */
const topology: ModelTopology = {
  class_name: 'Sequential',
  config: {
    name: 'tiny',
    layers: [
      {
        class_name: 'Conv2D',
        config: {
          name: 'conv',
          filters: 2,
          kernel_size: [3, 3],
          padding: 'same',
          batch_input_shape: [null, ...imageShape],
          dtype: 'float32',
        },
      },
      { class_name: 'BatchNormalization', config: { name: 'norm', axis: -1, momentum: 0.9, epsilon: 1e-5 } },
      { class_name: 'Flatten', config: { name: 'flatten' } },
      { class_name: 'Dense', config: { name: 'logits', units: classes, activation: 'linear', use_bias: true } },
    ],
  },
  keras_version: '2.15.0',
  backend: 'tensorflow',
};

/** Bytes that differ from image to image and pixel to pixel. */
const pixels = (count: number, salt: number) =>
  Uint8Array.from({ length: count * imageBytes }, (_, i) => (i * 37 + salt * 101 + ((i * i) % 251)) % 256);
const train = { images: pixels(trainSamples, 1), labels: Uint8Array.from({ length: trainSamples }, (_, i) => i % 3) };
const test = {
  images: pixels(testSamples, 2),
  labels: Uint8Array.from({ length: testSamples }, (_, i) => (i + 1) % 3),
};

let engine: Engine;
let params: Float32Array;
let parameterCount: number;
let stateCount: number;

beforeAll(async () => {
  engine = await createOnnxEngine({ device: 'cpu', lowering: 'portable' });
  ({ parameterCount, stateCount } = await describeModel(topology));
  params = (await initialWeights(topology, 1)).params;
});

function manifestOf(spec: Partial<JobSpecInput>): JobManifest {
  const full = parseSpec({ name: 'tiny', model: 'cnn3', epochs: 2, shards: 3, evaluation: { batch: 2 }, ...spec });
  const digest = 'a'.repeat(64);
  return {
    digest,
    spec: full,
    arithmetic: 1,
    topology,
    parameterCount,
    stateCount,
    dataset: {
      name: 'synthetic',
      title: 'none',
      synthetic: true,
      classes: ['a', 'b', 'c'],
      imageShape: [...imageShape],
      normalise: { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] },
      digest,
      trainSamples,
      testSamples,
    },
    shards: Array.from({ length: full.shards }, (_, shard) => ({
      digest,
      count: shardRange(trainSamples, full.shards, shard).count,
    })),
    evaluation: [2, 2, 1].map((count) => ({ digest, count })),
  };
}

function slice(of: Omit<Split, 'count'>, start: number, count: number): Split {
  return {
    count,
    labels: of.labels.subarray(start, start + count),
    images: of.images.subarray(start * imageBytes, (start + count) * imageBytes),
  };
}

/** A computer that holds all data. */
async function computerOf(manifest: JobManifest, by = engine): Promise<ShardComputer> {
  const computer = await ShardComputer.compile(by, manifest);
  manifest.shards.forEach((_, shard) => {
    const { start, count } = shardRange(trainSamples, manifest.shards.length, shard);
    computer.shards.set(shard, slice(train, start, count));
  });
  manifest.evaluation.forEach(({ count }, batch) => computer.batches.set(batch, slice(test, batch * 2, count)));
  return computer;
}

function programSpec(manifest: JobManifest, batch: number): Omit<ProgramSpec, 'mode'> {
  return { topology, imageShape, classes, normalise: manifest.dataset.normalise, batch };
}

/** The engine's results for a shard's samples of a step, which are picked by hand here. */
async function direct(manifest: JobManifest, shard: number, step: number) {
  const { spec } = manifest;
  const plan = manifestPlan(manifest);
  const { start } = shardRange(trainSamples, spec.shards, shard);
  const picked = [...sampleIndices(plan, spec.seed, shard, step)].map((index) => start + index);
  const images = new Uint8Array(picked.length * imageBytes);
  picked.forEach((globalIndex, i) => {
    const epoch = Math.floor(step / plan.stepsPerEpoch);
    augmentInto(
      {
        images: train.images,
        imageOffset: globalIndex * imageBytes,
        target: images,
        targetOffset: i * imageBytes,
        imageShape,
      },
      spec.data.augment,
      { seed: spec.seed, epoch, globalIndex },
    );
  });
  const labels = Int32Array.from(picked, (index) => train.labels[index]!);
  const program = await engine.compileTrain({ ...programSpec(manifest, picked.length), mode: 'train' });
  const result = await program.run({ params, state: new Float32Array(0), images, labels });
  await program.dispose();
  return { samples: picked.length, ...result };
}

const add = (a: Float32Array, b: Float32Array) => a.map((value, i) => value + b[i]!);

/** A node, computed as the engine thread does. */
async function nodeOf(
  computer: ShardComputer,
  node: TreeNode,
  step: number,
  vector: Float32Array,
  threads: () => number | undefined = () => undefined,
): Promise<{ gradient: Float32Array; reports: ShardReport[] }> {
  const reports: ShardReport[] = [];
  const gradient = await sumNode(node, async (shard) => {
    const result = await computer.shard(shard, step, vector, threads());
    reports.push(result.report);
    return result.gradient;
  });
  return { gradient, reports };
}

describe('a node', () => {
  it.each<[string, Partial<JobSpecInput>, number]>([
    ['a full step', { batchPerShard: 3 }, 0],
    ['the smaller last step of the second epoch', { batchPerShard: 3 }, 5],
    ['a step of augmented images', { batchPerShard: 3, data: { augment: { flip: true, crop: 1 } } }, 4],
    ['a batch that all shards share', { globalBatch: 7 }, 2],
  ])("is the engine's result for the samples of %s, summed in tree order", async (_, spec, step) => {
    const manifest = manifestOf(spec);
    const computer = await computerOf(manifest);
    const wanted = [await direct(manifest, 0, step), await direct(manifest, 1, step), await direct(manifest, 2, step)];
    const { gradient, reports } = await nodeOf(computer, { first: 0, count: 3 }, step, params);
    expect(gradient).toEqual(add(add(wanted[0]!.gradient, wanted[1]!.gradient), wanted[2]!.gradient));
    expect(gradient.some((value) => value !== 0)).toBe(true);
    reports.forEach((report, shard) => {
      const { samples, lossSum, correct, statistics } = wanted[shard]!;
      expect(report).toMatchObject({ shard, samples, lossSum, correct });
      expect(report.statistics).toEqual(bytesOf(statistics));
      expect(report.computeMs).toBeGreaterThan(0);
    });
    expect(reports).toHaveLength(3);
  });

  it('of one shard is that shard’s own gradient', async () => {
    const manifest = manifestOf({ batchPerShard: 3 });
    const { gradient, reports } = await nodeOf(await computerOf(manifest), { first: 2, count: 1 }, 1, params);
    expect(gradient).toEqual((await direct(manifest, 2, 1)).gradient);
    expect(reports.map(({ shard }) => shard)).toEqual([2]);
  });

  it('is zero for a shard that has no samples left in the last step', async () => {
    const manifest = manifestOf({ globalBatch: 11 });
    const computer = await computerOf(manifest);
    const last = manifestPlan(manifest).stepsPerEpoch - 1;
    const { gradient, reports } = await nodeOf(computer, { first: 0, count: 3 }, last, params);
    const empty = reports.filter(({ samples }) => samples === 0);
    expect(reports.reduce((sum, { samples }) => sum + samples, 0)).toBe(1);
    expect(empty).toHaveLength(2);
    expect(empty[0]).toMatchObject({ lossSum: 0, correct: 0, statistics: new Uint8Array(4 * stateCount) });
    expect(gradient).toEqual(
      (await direct(manifest, reports.find(({ samples }) => samples > 0)!.shard, last)).gradient,
    );
  });

  it('leaves the parameters as they were', async () => {
    const before = params.slice();
    await nodeOf(await computerOf(manifestOf({ batchPerShard: 3 })), { first: 0, count: 2 }, 0, params);
    expect(params).toEqual(before);
  });

  it('uses the images that were assembled ahead, for their step only', async () => {
    const manifest = manifestOf({ batchPerShard: 3, data: { augment: { flip: true, crop: 1 } } });
    const [computer, other] = [await computerOf(manifest), await computerOf(manifest)];
    computer.prepare(1, 0);
    const data = computer.shards.get(1)!;
    const negative = { ...data, images: data.images.map((byte) => 255 - byte) };
    for (const each of [computer, other]) each.shards.set(1, negative);
    expect((await nodeOf(computer, { first: 1, count: 1 }, 0, params)).gradient).toEqual(
      (await direct(manifest, 1, 0)).gradient,
    );
    for (const step of [0, 1]) {
      const [found, expected] = [computer, other].map((each) => nodeOf(each, { first: 1, count: 1 }, step, params));
      expect((await found!).gradient).toEqual((await expected!).gradient);
    }
  });

  it('needs the data of every shard', async () => {
    const computer = await ShardComputer.compile(engine, manifestOf({ batchPerShard: 3 }));
    computer.prepare(1, 0);
    computer.prepare(1, 1_000_000);
    await expect(nodeOf(computer, { first: 1, count: 1 }, 0, params)).rejects.toThrow('internal: shard computer');
  });
});

describe('the fingerprint of a job’s programs', () => {
  it('is the same for every computer of one engine, and another for another model or batch', async () => {
    const manifest = manifestOf({ batchPerShard: 3 });
    const of = async (job: JobManifest) => (await ShardComputer.compile(engine, job)).fingerprint();
    const one = await of(manifest);
    expect(await of(manifest)).toBe(one);
    expect(await of(manifestOf({ batchPerShard: 4 }))).not.toBe(one);
    const shifted = structuredClone(manifest);
    shifted.dataset.normalise.mean[2] = 0.25;
    expect(await of(shifted)).not.toBe(one);
  });
});

describe('the threads of a shard', () => {
  it("are those that are asked for, else the job's", async () => {
    const manifest = manifestOf({ batchPerShard: 3, engine: { threads: 2 } });
    const used: number[] = [];
    const watched: Engine = { ...engine, setThreads: (threads) => used.push(threads) };
    const asked = [4, undefined, 1];
    await nodeOf(await computerOf(manifest, watched), { first: 0, count: 3 }, 1, params, () => asked.shift());
    expect(used).toEqual([4, 2, 1]);
  });
});

describe('evaluation rows', () => {
  it('are the engine’s for each batch, also the smaller last one, with the statistics behind the parameters', async () => {
    const manifest = manifestOf({ batchPerShard: 3 });
    const computer = await computerOf(manifest);
    const state = Float32Array.from({ length: stateCount }, (_, i) => 0.5 + i / 8);
    const vector = new Float32Array(parameterCount + stateCount);
    vector.set(params);
    vector.set(state, parameterCount);
    for (const [batch, count] of [2, 2, 1].entries()) {
      const program = await engine.compileEvaluate({ ...programSpec(manifest, count), mode: 'evaluate' });
      const images = Uint8Array.from(slice(test, batch * 2, count).images);
      const { logProbabilities } = await program.run({ params, state, images, labels: new Int32Array(0) });
      const rows = await computer.rows(batch, vector);
      expect(rows).toEqual(logProbabilities);
      expect(rows).toHaveLength(count * classes);
      const total = rows.subarray(0, classes).reduce((sum, value) => sum + Math.exp(value), 0);
      expect(total).toBeCloseTo(1, 5);
    }
  });
});
