import type { Tensor2D } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, EvaluateProgram, ModelTopology, ProgramInput, TrainProgram } from '../../engine/engine.js';
import { describeModel, initialWeights } from '../../engine/model.js';
import { createOnnxEngine } from '../../engine/onnx/engine.js';
import { tf } from '../../engine/tf.js';
import { conv, dense, flatten, type LayerJson, norm, sequential } from './topologies.js';

const imageShape = [6, 6, 2] as const;
const batch = 4;
const topology = sequential(imageShape, [
  conv({}),
  norm,
  { class_name: 'MaxPooling2D', config: { name: 'pool', pool_size: [2, 2], strides: [2, 2] } },
  flatten,
  dense({}),
]);
const normalise = { mean: [0.5, 0.4], deviation: [0.2, 0.3] };
const common = { topology, imageShape, classes: 3, normalise, batch };
const images = Uint8Array.from({ length: batch * 72 }, (_, i) => (i * 37) % 256);

let engine: Engine;
let train: TrainProgram;
let evaluate: EvaluateProgram;
let input: ProgramInput;
beforeAll(async () => {
  engine = await createOnnxEngine({ threads: 1 });
  train = await engine.compileTrain({ ...common, mode: 'train' });
  evaluate = await engine.compileEvaluate({ ...common, mode: 'evaluate' });
  input = { ...(await initialWeights(topology, 3)), images, labels: Int32Array.of(0, 1, 2, 1) };
});
afterAll(async () => {
  await train.dispose();
  await evaluate.dispose();
});

/** Rows of a 2-dimensional array. */
function rowsOf(values: Float32Array): number[][] {
  return Array.from({ length: batch }, (_, i) => [...values.subarray(3 * i, 3 * i + 3)]);
}

describe('a training program', () => {
  it('returns the gradient of the loss sum: finite differences along it agree', async () => {
    const { gradient, lossSum } = await train.run(input);
    const norm2 = gradient.reduce((sum, g) => sum + g * g, 0);
    const step = 1e-3 / Math.sqrt(norm2);
    const moved = (sign: number) => input.params.map((w, i) => w + sign * step * gradient[i]!);
    const [up, down] = [
      await train.run({ ...input, params: moved(1) }),
      await train.run({ ...input, params: moved(-1) }),
    ];
    expect((up.lossSum - down.lossSum) / (2 * step * norm2)).toBeCloseTo(1, 2);
    expect(down.lossSum).toBeLessThan(lossSum);
  });

  it('returns sums over samples: a batch given twice has twice the loss and gradient, and the same statistics', async () => {
    const double = await engine.compileTrain({ ...common, batch: 2 * batch, mode: 'train' });
    const twice = await double.run({
      ...input,
      images: Uint8Array.from([...images, ...images]),
      labels: Int32Array.from([...input.labels, ...input.labels]),
    });
    await double.dispose();
    const once = await train.run(input);
    expect(twice.lossSum / once.lossSum).toBeCloseTo(2, 5);
    once.gradient.forEach((g, i) => expect(twice.gradient[i]).toBeCloseTo(2 * g, 3));
    once.statistics.forEach((s, i) => expect(twice.statistics[i]).toBeCloseTo(s, 5));
  });

  it('returns the mean and the biased variance of the batch, where the model keeps its moving ones', async () => {
    const identity = new Float32Array(input.params.length);
    identity[4 * 2 * 4] = 1; // the filter's centre, from channel 0 to filter 0
    const { statistics } = await train.run({ ...input, params: identity });
    const channel = [...images].filter((_, i) => i % 2 === 0).map((x) => (x / 255 - 0.5) / 0.2);
    const mean = channel.reduce((sum, x) => sum + x, 0) / channel.length;
    const variance = channel.reduce((sum, x) => sum + (x - mean) ** 2, 0) / channel.length;
    expect(statistics[0]).toBeCloseTo(mean, 5);
    expect(statistics[4]).toBeCloseTo(variance, 4);
    expect([...statistics.subarray(5)]).toEqual([0, 0, 0]);
  });

  it('does not read the running statistics', async () => {
    const other = await train.run({ ...input, state: input.state.map(() => NaN) });
    expect(other).toEqual(await train.run(input));
  });

  it('counts the samples whose largest logit is at their label', async () => {
    const counts = await Promise.all(
      [0, 1, 2].map(
        async (label) => (await train.run({ ...input, labels: new Int32Array(batch).fill(label) })).correct,
      ),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(batch);
  });

  it('lets NaN in the parameters reach the loss', async () => {
    const params = input.params.map((w, i) => (i === 0 ? NaN : w));
    expect((await train.run({ ...input, params })).lossSum).toBeNaN();
  });

  it('gives arrays that the caller owns: a later run leaves them alone, and they can be transferred', async () => {
    const first = await train.run(input);
    const copy = first.gradient.slice();
    await train.run({ ...input, labels: Int32Array.of(2, 2, 2, 2) });
    expect(first.gradient).toEqual(copy);
    expect(structuredClone(first.gradient, { transfer: [first.gradient.buffer as ArrayBuffer] })).toEqual(copy);
  });

  it('gives the same bits in every run', async () => {
    expect(await train.run(input)).toEqual(await train.run(input));
  });
});

describe('an evaluation program', () => {
  it('gives the rows that TF.js gives, with running statistics', async () => {
    const state = Float32Array.of(0.1, -0.2, 0.3, 0, 0.5, 1, 1.5, 2);
    const { logProbabilities } = await evaluate.run({ ...input, state });
    expect(rowsOf(logProbabilities)).toEqual((await tfjsRows(topology, { ...input, state })).map(closeTo));
  });
});

/** Log-softmax rows by TF.js's own `predict`. */
async function tfjsRows(model: ModelTopology, { params, state }: ProgramInput): Promise<number[][]> {
  const { loadModel } = await import('../../engine/model.js');
  const layout = await describeModel(model);
  const loaded = await loadModel(model);
  const vectors = [layout.parameters.map((w) => [w, params] as const), layout.state.map((w) => [w, state] as const)];
  loaded.setWeights(
    vectors.flat().map(([w, values]) => tf.tensor(values.slice(w.offset, w.offset + w.size), [...w.shape])),
  );
  const unit = tf.div(tf.tensor4d([...images], [batch, ...imageShape]), 255);
  const x = tf.div(tf.sub(unit, tf.tensor1d(normalise.mean)), tf.tensor1d(normalise.deviation));
  return tf.logSoftmax<Tensor2D>(loaded.predict(x) as Tensor2D).array();
}

function closeTo(row: number[]): unknown[] {
  return row.map((x) => expect.closeTo(x, 5) as unknown);
}

describe('inputs of a run', () => {
  const wrong: [string, Partial<ProgramInput>, string][] = [
    ['too few parameters', { params: new Float32Array(3) }, 'expected params of 195 elements for this model, got 3'],
    [
      'too few images',
      { images: new Uint8Array(72) },
      'expected images of 288 elements for a batch of 4 images [6, 6, 2]',
    ],
    ['too many labels', { labels: new Int32Array(5) }, 'expected labels of 4 elements for a batch of 4, got 5'],
    [
      'a label that is no class',
      { labels: Int32Array.of(0, 3, 0, 0) },
      'expected labels from 0 to 2, got 3 for sample 1',
    ],
    ['a negative label', { labels: Int32Array.of(0, 0, 0, -1) }, 'expected labels from 0 to 2, got -1 for sample 3'],
    [
      'shared memory',
      { params: new Float32Array(new SharedArrayBuffer(4 * 195)) },
      'expected params in an ArrayBuffer, got shared memory',
    ],
  ];
  it.each(wrong)('are refused with %s', async (_, change, message) => {
    await expect(train.run({ ...input, ...change })).rejects.toThrow(message);
    await expect(train.run({ ...input, ...change })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('are refused with too short a state, in evaluation', async () => {
    const state = new Float32Array(7);
    await expect(evaluate.run({ ...input, state })).rejects.toThrow(
      'expected state of 8 elements for this model, got 7',
    );
  });
});

describe('dropout', () => {
  const dropped = sequential(imageShape, [
    flatten,
    { class_name: 'Dropout', config: { name: 'drop', rate: 0.5 } },
    dense({}),
  ]);
  const params = new Float32Array(72 * 3 + 3);

  it('is an input of the training program: what it drops has no gradient, the rest is scaled by the mask', async () => {
    const program = await engine.compileTrain({ ...common, topology: dropped, mode: 'train' });
    expect(program.masks).toEqual([{ name: 'drop', shape: [batch, 72], size: batch * 72, rate: 0.5 }]);
    const run = (mask: (feature: number) => number) => {
      const masks = [Float32Array.from({ length: batch * 72 }, (_, i) => mask(i % 72))];
      return program.run({ params, state: new Float32Array(0), images, labels: input.labels, masks });
    };
    const [all, some] = [await run(() => 1), await run((feature) => (feature < 10 ? 0 : 2))];
    expect([...some.gradient.subarray(0, 30)]).toEqual(new Array(30).fill(0));
    all.gradient.subarray(30, 216).forEach((g, i) => expect(some.gradient[30 + i]).toBeCloseTo(2 * g, 4));
    await program.dispose();
  });

  it('has no part in an evaluation', async () => {
    const program = await engine.compileEvaluate({ ...common, topology: dropped, mode: 'evaluate' });
    const moved = params.map((_, i) => Math.sin(i));
    const given = { params: moved, state: new Float32Array(0), images, labels: input.labels };
    const { logProbabilities } = await program.run(given);
    await program.dispose();
    expect(rowsOf(logProbabilities)).toEqual((await tfjsRows(dropped, given)).map(closeTo));
  });

  it.each([
    ['without masks', undefined, 'expected 1 dropout masks for this model, got 0'],
    ['with a mask that is too short', [new Float32Array(3)], 'expected mask drop of 288 elements'],
  ])('refuses a run %s', async (_, masks, message) => {
    const program = await engine.compileTrain({ ...common, topology: dropped, mode: 'train' });
    const given = { params, state: new Float32Array(0), images, labels: input.labels, ...(masks && { masks }) };
    await expect(program.run(given)).rejects.toThrow(message);
    await program.dispose();
  });
});

describe('compilation', () => {
  const compile = (layers: LayerJson[], classes = 3) =>
    engine.compileTrain({ ...common, topology: sequential(imageShape, layers), classes, mode: 'train' });

  it('refuses a kernel that is not lowered, and names it and the layer', async () => {
    const upsampling = { class_name: 'UpSampling2D', config: { name: 'up', size: [2, 2] } };
    await expect(compile([upsampling, flatten, dense({})])).rejects.toMatchObject({
      code: 'UNSUPPORTED_KERNEL',
      context: { kernel: 'ResizeNearestNeighbor', layer: 'up' },
    });
  });

  it.each<[string, LayerJson[], object]>([
    [
      'a kernel whose gradient TF.js has not got',
      [conv({}), { class_name: 'ThresholdedReLU', config: { name: 'threshold', theta: 0.5 } }, flatten, dense({})],
      { code: 'UNSUPPORTED_MODEL', context: { layer: 'threshold' } },
    ],
    [
      'a layer that TF.js cannot compute',
      [conv({}), { class_name: 'Softmax', config: { name: 'rows', axis: 1 } }, flatten, dense({})],
      { code: 'UNSUPPORTED_MODEL', context: { layer: 'rows' } },
    ],
    [
      'a batch norm over rows',
      [conv({}), { class_name: 'BatchNormalization', config: { name: 'norm', axis: 1 } }, flatten, dense({})],
      { code: 'UNSUPPORTED_MODEL', context: { layer: 'norm' } },
    ],
  ])('refuses %s, and names the layer', async (_, layers, error) => {
    await expect(compile(layers)).rejects.toMatchObject(error);
  });

  it('takes a smoothed loss: the mean of the exact one and that of every class, weighted', async () => {
    const smoothed = await engine.compileTrain({
      ...common,
      mode: 'train',
      loss: { type: 'softmaxCrossEntropy', labelSmoothing: 0.3 },
    });
    const { lossSum } = await smoothed.run(input);
    await smoothed.dispose();
    const lossOf = async (label: number) =>
      (await train.run({ ...input, labels: new Int32Array(batch).fill(label) })).lossSum;
    const even = (await lossOf(0)) + (await lossOf(1)) + (await lossOf(2));
    expect(lossSum).toBeCloseTo(0.7 * (await train.run(input)).lossSum + 0.1 * even, 4);
  });

  it('refuses a model that ends in softmax', async () => {
    await expect(compile([flatten, dense({ activation: 'softmax' })])).rejects.toThrow('got one that ends in softmax');
  });

  it('refuses a model whose shapes do not fit the data', async () => {
    await expect(compile([flatten, dense({})], 10)).rejects.toThrow(
      'expected a model with images [6, 6, 2] in and 10 logits out, got [6, 6, 2] in and [3] out',
    );
  });

  it('leaves TF.js usable after a refusal', async () => {
    await expect(compile([flatten, dense({ activation: 'softmax' })])).rejects.toThrow();
    const program = await compile([flatten, dense({})]);
    expect((await program.run({ ...input, params: new Float32Array(72 * 3 + 3) })).lossSum).toBeCloseTo(
      4 * Math.log(3),
      5,
    );
    await program.dispose();
  });

  it('compiles models without batch norm, whose state is empty', async () => {
    const program = await compile([flatten, dense({})]);
    const { statistics } = await program.run({
      ...input,
      params: new Float32Array(72 * 3 + 3),
      state: new Float32Array(0),
    });
    expect(statistics.length).toBe(0);
    await program.dispose();
  });

  it('refuses more threads than give equal bits', async () => {
    await expect(createOnnxEngine({ threads: 3, lowering: 'portable' })).rejects.toThrow(
      'expected 1 to 2 threads, got 3',
    );
  });

  it('names what computes', () => {
    expect(engine.info).toMatchObject({ name: 'onnx', device: 'cpu', threads: 1 });
    expect(engine.info.lowering).toMatch(/^(portable|nchwc\d+)$/);
    expect(engine.info.version).toMatch(/^onnxruntime-node \d+\.\d+\.\d+$/);
  });
});
