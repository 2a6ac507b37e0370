import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine, ProgramInput, ProgramSpec, TrainResult } from '../../engine/engine.js';
import { initialWeights } from '../../engine/model.js';
import { createOnnxEngine } from '../../engine/onnx/engine.js';
import { createTensorflowEngine } from '../../engine/tensorflow/engine.js';
import { environmentFor } from '../../engine/tensorflow/environment.js';
import { tf } from '../../engine/tf.js';
import { drawMasks } from '../../job/dropout.js';
import { parseSpec } from '../../job/spec.js';
import { tensorflowDirectory } from '../programs.js';
import { conv, dense, flatten, norm, sequential } from './topologies.js';

const imageShape = [6, 6, 2] as const;
const batch = 4;
const topology = sequential(imageShape, [
  conv({}),
  norm,
  { class_name: 'MaxPooling2D', config: { name: 'pool', pool_size: [2, 2], strides: [2, 2] } },
  { class_name: 'Dropout', config: { name: 'drop', rate: 0.5 } },
  flatten,
  dense({}),
]);
const normalise = { mean: [0.5, 0.4], deviation: [0.2, 0.3] };
const loss = { type: 'softmaxCrossEntropy', labelSmoothing: 0.1 } as const;
const common = { topology, imageShape, classes: 3, normalise, batch, loss };
const images = Uint8Array.from({ length: batch * 72 }, (_, i) => (i * 37) % 256);

describe('engine.name: tensorflow', () => {
  it('is refused with what to install where no binding is', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'lockstep-empty-'));
    const creating = createTensorflowEngine({ threads: 1, directory: empty });
    const named = 'expected @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node to be installed';
    await expect(creating).rejects.toMatchObject({
      code: 'RUNTIME',
      message: expect.stringContaining(named) as string,
    });
    await expect(creating).rejects.toThrow(`nor from ${empty}; npm install --no-save @tensorflow/tfjs-node@4.22.0`);
    rmSync(empty, { recursive: true });
  });

  it('asks for determinism, full precision, and the threads of the spec', () => {
    expect(environmentFor(2)).toMatchObject({
      TF_DETERMINISTIC_OPS: '1',
      TF_CUDNN_DETERMINISTIC: '1',
      NVIDIA_TF32_OVERRIDE: '0',
      TF_NUM_INTRAOP_THREADS: '2',
      TF_NUM_INTEROP_THREADS: '1',
    });
  });

  it('has no choice of lowerings', () => {
    const spec = {
      name: 'x',
      model: 'mlp',
      epochs: 1,
      shards: 1,
      batchPerShard: 1,
      engine: { name: 'tensorflow', lowering: 'nchwc' },
    };
    expect(() => parseSpec(spec)).toThrow('engine.lowering: expected auto with engine.name: tensorflow, got nchwc');
  });
});

const title = `a program on libtensorflow${tensorflowDirectory === undefined ? ' (skipped: no LOCKSTEP_TFJS_NODE)' : ''}`;
describe.skipIf(tensorflowDirectory === undefined)(title, () => {
  let engine: Engine;
  let input: ProgramInput;
  beforeAll(async () => {
    engine = await createTensorflowEngine({ threads: 1, directory: tensorflowDirectory! });
    const masks = drawMasks([{ name: 'drop', shape: [batch, 3, 3, 4], size: batch * 36, rate: 0.5 }], {
      seed: 1,
      step: 2,
      shard: 3,
    });
    input = { ...(await initialWeights(topology, 3)), images, labels: Int32Array.of(0, 1, 2, 1), masks };
  });

  async function train(on: Engine, change: Partial<ProgramInput> = {}): Promise<TrainResult> {
    const program = await on.compileTrain({ ...common, mode: 'train' });
    try {
      return await program.run({ ...input, ...change });
    } finally {
      await program.dispose();
    }
  }

  it('names the binding, libtensorflow and the device', () => {
    expect(engine.info).toMatchObject({ name: 'tensorflow', lowering: 'eager', threads: 1 });
    expect(engine.info.device).toMatch(/^(cpu|cuda)$/);
    expect(engine.info.version).toMatch(/^tfjs-node(-gpu)? 4\.22\.0, libtensorflow 2\.\d+\.\d+$/);
  });

  it('runs deterministically: libtensorflow refuses a random draw without a seed', async () => {
    await tf.setBackend('tensorflow');
    const draw = () =>
      tf.engine().runKernel('Multinomial', { logits: tf.zeros([1, 2]) }, { numSamples: 1, seed: 0, normalized: false });
    expect(draw).toThrow('When determinism is enabled, random ops must have a seed specified');
    await tf.setBackend('cpu');
  });

  it('gives what the onnx engine gives, with dropout and a smoothed loss', async () => {
    const onnx = await createOnnxEngine({ threads: 1, lowering: 'portable' });
    const [ours, theirs] = [await train(engine), await train(onnx)];
    expect(ours.lossSum / theirs.lossSum).toBeCloseTo(1, 6);
    expect(ours.correct).toBe(theirs.correct);
    ours.gradient.forEach((g, i) => expect(g).toBeCloseTo(theirs.gradient[i]!, 4));
    ours.statistics.forEach((s, i) => expect(s).toBeCloseTo(theirs.statistics[i]!, 5));
  });

  it('gives the same bits in every run and from every program, whatever ran in between', async () => {
    const program = await engine.compileTrain({ ...common, mode: 'train' });
    const first = await program.run(input);
    const copy = structuredClone(first);
    await program.run({ ...input, labels: Int32Array.of(2, 2, 2, 2), params: input.params.map((w) => -w) });
    expect(await program.run(input)).toEqual(copy);
    expect(first).toEqual(copy);
    await program.dispose();
    expect(await train(engine)).toEqual(copy);
  });

  it('leaves no tensor behind: their number and bytes are the same after 500 steps, a refused run included', async () => {
    const step = await engine.compileTrain({ ...common, mode: 'train' });
    const rows = await engine.compileEvaluate({ ...common, mode: 'evaluate' });
    const held = () => ({
      tensors: tf.memory().numTensors,
      bytes: tf.memory().numBytes,
      data: tf.engine().backend.numDataIds(),
    });
    await step.run(input);
    await rows.run(input);
    const before = held();
    for (let i = 0; i < 500; i++) await step.run(input);
    await rows.run(input);
    await expect(step.run({ ...input, labels: Int32Array.of(0, 3, 0, 0) })).rejects.toThrow('got 3 for sample 1');
    expect(held()).toEqual(before);
    await step.dispose();
    await rows.dispose();
    expect(tf.memory().numTensors).toBeLessThan(before.tensors);
  }, 60_000);

  it('lets NaN in the parameters reach the loss', async () => {
    const params = input.params.map((w, i) => (i === 0 ? NaN : w));
    expect((await train(engine, { params })).lossSum).toBeNaN();
  });

  const wrong: [string, Partial<ProgramInput>, string][] = [
    ['too few parameters', { params: new Float32Array(3) }, 'expected params of 195 elements for this model, got 3'],
    ['too few images', { images: new Uint8Array(72) }, 'expected images of 288 elements for a batch of 4'],
    ['a label that is no class', { labels: Int32Array.of(0, 0, 0, -1) }, 'got -1 for sample 3'],
    ['no masks', { masks: [] }, 'expected 1 dropout masks for this model, got 0'],
  ];
  it.each(wrong)('refuses a run with %s', async (_, change, message) => {
    await expect(train(engine, change)).rejects.toThrow(message);
  });

  it('is refused at compilation, with layer and kernel, for a model that the onnx engine refuses too', async () => {
    const layers = [{ class_name: 'UpSampling2D', config: { name: 'up', size: [2, 2] } }, flatten, dense({})];
    const spec: ProgramSpec & { mode: 'train' } = {
      ...common,
      topology: sequential(imageShape, layers),
      mode: 'train',
    };
    await expect(engine.compileTrain(spec)).rejects.toMatchObject({
      code: 'UNSUPPORTED_KERNEL',
      context: { kernel: 'ResizeNearestNeighbor', layer: 'up' },
    });
  });

  it('has one number of threads per process', async () => {
    const other = createTensorflowEngine({ threads: 2, directory: tensorflowDirectory! });
    await expect(other).rejects.toThrow('expected 1 thread(s), which libtensorflow has in this process, got 2');
  });
});
