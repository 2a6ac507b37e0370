import '@tensorflow/tfjs-backend-cpu';
import { ready, tensor, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { models } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtinTopology, modelNames } from '../../job/models.js';

const imageShape = [32, 32, 3] as const;

beforeAll(() => ready());

async function load(name: string, classes = 10) {
  return await models.modelFromJSON(builtinTopology(name, imageShape, classes) as never);
}

describe('builtinTopology', () => {
  it('is the lecture’s network: 137,430 trainable values, images to ten logits', async () => {
    const model = await load('cnn3');
    // TF.js numbers names that its process has used before.
    const shapes = model.trainableWeights.map(({ name, shape }) => [name.replace(/_\d+$/, ''), ...shape].join(' '));
    expect(shapes).toEqual([
      'conv1/kernel 7 7 3 16',
      'conv1/bias 16',
      'norm1/gamma 16',
      'norm1/beta 16',
      'conv2/kernel 5 5 16 32',
      'conv2/bias 32',
      'norm2/gamma 32',
      'norm2/beta 32',
      'conv3/kernel 3 3 32 64',
      'conv3/bias 64',
      'norm3/gamma 64',
      'norm3/beta 64',
      'dense1/kernel 1024 100',
      'dense1/bias 100',
      'logits/kernel 100 10',
      'logits/bias 10',
    ]);
    expect(model.countParams()).toBe(137_430 + 2 * (16 + 32 + 64));
    expect((model.predict(zeros([2, ...imageShape])) as Tensor).shape).toEqual([2, 10]);
    model.dispose();
  });

  it('has a fourth block of 128 filters in cnn4', async () => {
    const model = await load('cnn4');
    expect(model.getLayer('conv4').getWeights()[0]!.shape).toEqual([3, 3, 64, 128]);
    expect(model.getLayer('dense1').getWeights()[0]!.shape).toEqual([512, 100]);
    model.dispose();
  });

  it('has logits without an activation for any number of classes', async () => {
    const model = await load('cnn3', 3);
    const kernel = new Float32Array(300).fill(-1);
    model.getLayer('dense1').setWeights([zeros([1024, 100]), tensor(new Float32Array(100).fill(2))]);
    model.getLayer('logits').setWeights([tensor(kernel, [100, 3]), tensor([0, 1, 2])]);
    const logits = model.predict(zeros([1, ...imageShape])) as Tensor;
    expect([...logits.dataSync()]).toEqual([-200, -199, -198]);
    model.dispose();
  });

  it('draws kernels by Glorot’s uniform rule: variance 2 / (fan in + fan out), bounded', async () => {
    const model = await load('cnn3');
    const values = model.getLayer('dense1').getWeights()[0]!.dataSync<'float32'>();
    const limit = Math.sqrt(6 / (1024 + 100));
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(limit));
    expect(variance / (2 / (1024 + 100))).toBeCloseTo(1, 1);
    model.dispose();
  });

  it('keeps running statistics with momentum 0.9 and epsilon 1e-5', async () => {
    const model = await load('cnn3');
    expect(model.getLayer('norm2').getConfig()).toMatchObject({ momentum: 0.9, epsilon: 1e-5 });
    model.dispose();
  });

  it('has resnet20, with 20 layers of weights on the main path and two projections on the shortcuts', async () => {
    const model = await load('resnet20');
    const kernels = model.trainableWeights.filter(({ name }) => /kernel/.test(name));
    expect(kernels.filter(({ name }) => !name.includes('short')).length).toBe(20);
    expect(kernels.filter(({ name }) => name.includes('short')).map(({ shape }) => shape)).toEqual([
      [1, 1, 16, 32],
      [1, 1, 32, 64],
    ]);
    const convolutions = 9 * (3 * 16 + 6 * 16 * 16 + 16 * 32 + 5 * 32 * 32 + 32 * 64 + 5 * 64 * 64) + 16 * 32 + 32 * 64;
    const norms = 2 * (7 * 16 + 7 * 32 + 7 * 64);
    const trained = model.trainableWeights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a! * b!, 1)!, 0);
    expect(trained).toBe(convolutions + norms + 64 * 10 + 10);
    expect(model.getLayer('stage3/block3/sum').outputShape).toEqual([null, 8, 8, 64]);
    expect((model.predict(zeros([2, ...imageShape])) as Tensor).shape).toEqual([2, 10]);
    model.dispose();
  });

  it('has mlp, with running statistics and fewer than 100,000 parameters', async () => {
    const model = await load('mlp');
    const names = model.weights.map(({ originalName }) => originalName).sort();
    expect(names).toEqual([
      ...['dense1/bias', 'dense1/kernel', 'logits/bias', 'logits/kernel'],
      ...['norm1/beta', 'norm1/gamma', 'norm1/moving_mean', 'norm1/moving_variance'],
    ]);
    expect(model.countParams()).toBe(3072 * 32 + 32 + 4 * 32 + 32 * 10 + 10);
    model.dispose();
  });

  it('rejects an unknown name, and lists the known ones', () => {
    expect(modelNames).toEqual(['cnn3', 'cnn4', 'resnet20', 'mlp']);
    for (const name of ['cnn5', 'toString']) {
      expect(() => builtinTopology(name, imageShape, 10)).toThrow(
        expect.objectContaining({
          code: 'UNKNOWN_MODEL',
          message: `model: expected one of cnn3, cnn4, resnet20, mlp, got "${name}"; correct model in the spec`,
        }),
      );
    }
  });
});
